import Testing

/// The tests that run brokers, one after the other: their clients wait on the threads that run all tests.
@Suite(.serialized) enum WithBrokers {}
