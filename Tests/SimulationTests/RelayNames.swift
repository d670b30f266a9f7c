import Relay

// STOMP has these names too, and `Relay.Answer` would be sought in the type `Relay`.
typealias RelayAnswer = Answer
typealias RelayCommand = Command
