package import Launching
internal import OttlaSQL
internal import Synchronization

/// Runs a service from its options to its end: asked for by SIGTERM or Ctrl-C, or because `body` cannot go on. The process then ends with
/// status 0 or 1; with 2 where the options are wrong (a `CommandError` of `body`).
package func runService(
  _ usage: CommandUsage, _ body: @escaping @Sendable (CommandOptions, Stopping) async throws -> Void
) async -> Never {
  let options = usage.readOrExit()
  let end = ProgramEnd()
  let stopping = Stopping()
  let work = Task {
    do {
      try await body(options, stopping)
      end.request(because: nil)
    } catch let error as CommandError {
      usage.refuse(error)
    } catch is CancellationError where stopping.hasBegun {
      // It was asked to end while it waited for something.
    } catch {
      complain("\(usage.program): \(error)")
      end.request(because: "\(error)")
    }
  }
  let reason = await end.wait()
  stopping.begin()
  await work.value
  endProgram(status: reason == nil ? 0 : 1)
}

/// Whether the service is to end. Can become: begun, once and for all.
package final class Stopping: Sendable {
  private let flag = Atomic(false)

  package init() {}

  package var hasBegun: Bool { flag.load(ordering: .relaxed) }
  package func begin() { flag.store(true, ordering: .relaxed) }

  /// Returns when the service is to end, or the task is cancelled.
  package func wait() async { while await pause(.seconds(1)) {} }

  /// Waits for `duration`, or until the service is to end.
  ///
  /// - Returns: whether it is to go on.
  package func pause(_ duration: Duration) async -> Bool {
    let end = ContinuousClock.now + duration
    while !hasBegun, ContinuousClock.now < end {
      guard (try? await Task.sleep(for: .milliseconds(25))) != nil else { return false }
    }
    return !hasBegun
  }

  /// Does `work`, again every second while the database is away.
  ///
  /// - Throws: what `work` throws for good; `CancellationError` when the service is to end before.
  package func untilDatabaseAnswers(_ work: () async throws -> Void) async throws {
    while true {
      do {
        return try await work()
      } catch let error as SQLError where error.isRetriable {
        say("waiting for the database: \(error)")
        guard await pause(.seconds(1)) else { throw CancellationError() }
      }
    }
  }
}
