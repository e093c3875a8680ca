internal import Runtime

/// Work that waits, away from the threads that run a program's tasks.
enum Blocking {
  /// Does `work` on a thread of its own.
  static func run<Outcome: Sendable>(_ work: @escaping @Sendable () -> Outcome) async -> Outcome {
    await withCheckedContinuation { continuation in
      ShardThread(name: "ottla-testing") { continuation.resume(returning: work()) }.detach()
    }
  }
}
