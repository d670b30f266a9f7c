import Relay

// STOMP has a Command and an Answer of its own; the type Relay hides the module of that name from a qualified spelling.

/// What is asked of the relay's state machine.
typealias RelayCommand = Command
/// What the relay's state machine says to it.
typealias RelayAnswer = Answer
