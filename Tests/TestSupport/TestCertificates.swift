import Foundation
package import TLSStreams

/// Two small authorities and the certificates that tests need, made once per run with the `openssl` command in a
/// temporary directory.
///
/// Names of leaf certificates: `server`, `client`, `expired`, `future`, `revoked`, `server-only`, `odd-name`, and, by the
/// other authority, `stranger`. Revocation lists: `ca.crl` (names `revoked`), `ca-expired.crl`, `other.crl`.
package struct TestCertificates: Sendable {
    /// The authorities of this run.
    package static let shared = TestCertificates()

    /// Where the files are.
    package let directory: String

    private init() {
        directory = NSTemporaryDirectory() + "budkavle-pki-\(ProcessInfo.processInfo.processIdentifier)"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-eu", "-c", Self.script, "make-certificates", directory]
        let output = Pipe()
        process.standardError = output
        process.standardOutput = output
        do {
            try process.run()
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            precondition(process.terminationStatus == 0, "openssl could not make the test certificates: \(text)")
        } catch {
            preconditionFailure("no shell to make test certificates: \(error)")
        }
        // Removed at exit, so that runs leave nothing behind.
        atexit { try? FileManager.default.removeItem(atPath: TestCertificates.shared.directory) }
    }

    /// The path of a file: `path("client.crt")`.
    package func path(_ file: String) -> String { directory + "/" + file }

    /// Options that name a certificate and its key, and believe `authority`.
    package func options(
        _ name: String?, authority: String = "ca", crls: [String] = [], minimumVersion: TLSVersion = .v1_3
    ) -> TLSOptions {
        TLSOptions(
            certificateFile: name.map { path($0 + ".crt") }, keyFile: name.map { path($0 + ".key") },
            caFiles: [path(authority + ".crt")], crlFiles: crls.map(path), minimumVersion: minimumVersion)
    }

    private static let script = """
        mkdir -p "$1"; cd "$1"
        authority() {
            cat > $1.cnf <<END
        [ca]
        default_ca=d
        [d]
        database=$1.index
        new_certs_dir=.
        serial=$1.serial
        crlnumber=$1.crlnumber
        default_md=sha256
        policy=p
        unique_subject=no
        certificate=$1.crt
        private_key=$1.key
        default_crl_days=30
        [p]
        commonName=supplied
        [req]
        distinguished_name=n
        x509_extensions=x
        prompt=no
        [n]
        CN=Test authority $1
        [x]
        basicConstraints=critical,CA:TRUE
        keyUsage=critical,keyCertSign,cRLSign
        subjectKeyIdentifier=hash
        END
            : > $1.index; echo $2 > $1.serial; echo 01 > $1.crlnumber
            openssl ecparam -name prime256v1 -genkey -noout -out $1.key
            openssl req -new -x509 -config $1.cnf -key $1.key -days 30 -out $1.crt
        }
        leaf() {
            openssl ecparam -name prime256v1 -genkey -noout -out $2.key
            openssl req -new -config $1.cnf -key $2.key -subj "/CN=$2.test" -out $2.csr
            printf '%s\\n' basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature \\
                subjectKeyIdentifier=hash authorityKeyIdentifier=keyid "extendedKeyUsage=$3" "subjectAltName=$4" > $2.ext
            openssl ca -batch -notext -config $1.cnf -in $2.csr -out $2.crt -extfile $2.ext -startdate $5 -enddate $6
        }
        authority ca 1001; authority other 2001
        from=20200101000000Z; to=20491231235959Z
        leaf ca server serverAuth DNS:localhost,IP:127.0.0.1,URI:urn:budkavle:relay:orebro $from $to
        leaf ca client clientAuth URI:urn:budkavle:pol-18-rlc:station-1 $from $to
        leaf ca second clientAuth URI:urn:budkavle:soc-1880:station-2 $from $to
        leaf ca expired clientAuth URI:urn:budkavle:pol-18-rlc:old $from 20261001120000Z
        leaf ca future clientAuth URI:urn:budkavle:pol-18-rlc:new 20480101000000Z $to
        leaf ca revoked clientAuth URI:urn:budkavle:pol-18-rlc:lost $from $to
        leaf ca server-only serverAuth URI:urn:budkavle:pol-18-rlc:wrong $from $to
        leaf ca odd-name clientAuth "URI:urn:budkavle:pol 18" $from $to
        leaf other stranger clientAuth URI:urn:budkavle:pol-18-rlc:stranger $from $to
        openssl ca -config ca.cnf -revoke revoked.crt
        openssl ca -config ca.cnf -gencrl -out ca.crl
        openssl ca -config ca.cnf -gencrl -crl_lastupdate 20200101000000Z -crl_nextupdate 20200201000000Z \\
            -out ca-expired.crl
        openssl ca -config other.cnf -gencrl -out other.crl
        openssl ec -aes256 -passout pass:secret -in client.key -out encrypted.key
        cat ca.crt other.crt > both.crt
        """
}
