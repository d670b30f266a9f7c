#!/usr/bin/perl
# Net::Stomp with IO::Socket::SSL: send, receive, lose the link, get it again. It speaks STOMP 1.0 when it is not told
# otherwise, which the desk's party file must allow (`stomp: {min: "1.0"}`); the sender asks for 1.1.
# Arguments: port, pki directory, on-call desk, event file. Prints one JSON object a line for each thing that happened.
use strict;
use warnings;
use JSON::PP;
use Net::Stomp;
use Socket qw(SHUT_RDWR);

my ($port, $pki, $desk, $event_file) = @ARGV;
my $json = JSON::PP->new->utf8->canonical;
$| = 1;

sub tell_step { my ($step, %facts) = @_; print $json->encode({ step => $step, %facts }), "\n"; }

sub open_link {
    my ($party, $client, %headers) = @_;
    my $relay = Net::Stomp->new({
        hostname => 'localhost', port => $port, timeout => 30, initial_reconnect_attempts => 1, ssl => 1,
        ssl_options => {
            SSL_ca_file => "$pki/ca.crt", SSL_verifycn_name => 'localhost',
            SSL_cert_file => "$pki/$party/$client.crt", SSL_key_file => "$pki/$party/$client.key",
        },
    });
    my $frame = $relay->connect({ host => 'orebro', %headers });
    die 'no CONNECTED' unless $frame && $frame->command eq 'CONNECTED';
    tell_step('connected', party => $frame->headers->{party}, version => $frame->headers->{version});
    return $relay;
}

sub inbox {
    my ($relay) = @_;
    $relay->subscribe({ destination => "/inbox/$desk", ack => 'client', receipt => 'inbox' });
    tell_step('subscribed', receipt => await_frame($relay, 'RECEIPT')->headers->{'receipt-id'});
}

# Receipts and messages come in any order.
sub await_frame {
    my ($relay, $command) = @_;
    while (my $frame = $relay->receive_frame) {
        return $frame if $frame->command eq $command;
        tell_step('error', body => $frame->body) if $frame->command eq 'ERROR';
    }
    die "no $command";
}

sub await_event {
    my ($relay, $id) = @_;
    while (1) {
        my $frame = await_frame($relay, 'MESSAGE');
        my $event = $json->decode($frame->body);
        next if $event->{id} ne $id;
        my $headers = $frame->headers;
        tell_step('message', redelivered => $headers->{redelivered}, count => $headers->{'delivery-count'}, event => $event);
        return $frame;
    }
}

my $body = do { local (@ARGV, $/) = $event_file; <> };
my $id = $json->decode($body)->{id};
my $sender = open_link('pol-18-rlc', 'station', 'accept-version' => '1.1');
my $station = open_link($desk, 'jourdator');
inbox($station);

my $receipt;
$sender->send_with_receipt({ destination => '/notifications', 'content-type' => 'application/cloudevents+json', body => $body }, $receipt)
    or die 'no RECEIPT';
tell_step('receipt', headers => $receipt->headers);
await_event($station, $id);

# The link breaks with the message unacknowledged: no DISCONNECT, no close_notify.
$station->socket->blocking(0);
shutdown($station->socket, SHUT_RDWR);
tell_step('lost');

$station = open_link($desk, 'jourdator');
inbox($station);
my $frame = await_event($station, $id);
$station->ack({ frame => $frame, receipt => 'taken' });
tell_step('acknowledged', receipt => await_frame($station, 'RECEIPT')->headers->{'receipt-id'});
$_->disconnect for $station, $sender;
tell_step('disconnected');
