internal import Launching
package import OttlaErrorHandling

/// A service's way from its start to its end.
package struct ServiceRun: Sendable {
  private let program: String
  private let end = ProgramEnd()

  /// - Parameter program: its name, for what it says at the end.
  package init(_ program: String) { self.program = program }

  /// Ends the service with status 1, from wherever it cannot go on.
  package func fail(_ reason: String) { end.request(because: reason) }

  /// Does `work` until it is over or the program is told to end (SIGTERM, SIGINT), and ends the program: with status 0, or with 1 where
  /// the work has failed.
  ///
  /// - Parameters:
  ///   - stop: asks the work to come to its end; it is cancelled where that takes longer than `grace`, or at once where there is no `stop`.
  package func run(
    grace: Duration = .seconds(5), stop: (() -> Void)? = nil, _ work: @escaping @Sendable () async throws -> Void
  ) async -> Never {
    let working = Task {
      do {
        try await work()
        end.request(because: nil)
      } catch is CancellationError {
        end.request(because: nil)
      } catch {
        end.request(because: "\(error)")
      }
    }
    let reason = await end.wait()
    stop?()
    let wait = stop == nil ? Duration.zero : grace
    let cancelling = Task {
      try await Task.sleep(for: wait)
      working.cancel()
    }
    await working.value
    cancelling.cancel()
    if let reason { complain("\(program): \(reason)") }
    endProgram(status: reason == nil ? 0 : 1)
  }
}

extension RecordProcessor {
  /// Processes until `stop`; a broker that is away at the start is waited for, and the topic is made where it is not there.
  package func runWaiting(for topic: String, bootstrap: String) async throws {
    try await Topics.prepare([topic], bootstrap: bootstrap)
    say("ready topic=\(topic)")
    try await trying("processing") { try await run() }
  }
}
