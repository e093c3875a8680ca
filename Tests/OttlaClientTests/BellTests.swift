import Synchronization
import TestServers
import Testing

@testable import OttlaClient

@Suite struct BellTests {
  private final class Tokens: Sendable {
    private let count = Mutex(0)
    func add() { count.withLock { $0 += 1 } }
    func take() -> Bool {
      count.withLock { count in
        guard count > 0 else { return false }
        count -= 1
        return true
      }
    }
  }

  /// Tokens come one by one from another task; whoever finds none waits. A lost ring would leave one waiting for ever.
  @Test func noRingIsLost() async throws {
    let bell = Bell()
    let tokens = Tokens()
    let total = 20_000
    try await within(.seconds(60)) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<4 {
          group.addTask {
            for _ in 0..<total / 4 {
              while true {
                let seen = bell.rings
                if tokens.take() { break }
                await bell.wait(since: seen)
              }
            }
          }
        }
        group.addTask {
          for number in 0..<total {
            tokens.add()
            bell.ring()
            if number % 64 == 0 { await Task.yield() }
          }
        }
        try await group.waitForAll()
      }
    }
    #expect(!tokens.take())
  }

  @Test func cancellingEndsTheWait() async throws {
    let bell = Bell()
    let waiting = Task { await bell.wait(since: bell.rings) }
    await Task.yield()
    waiting.cancel()
    try await within(.seconds(5)) { await waiting.value }
    // A ring from before the wait counts.
    let seen = bell.rings
    bell.ring()
    await bell.wait(since: seen)
    bell.ringAll()
  }
}
