import Broker
import CLinux
import Primitives
import Synchronization
import Testing

@testable import Runtime

@Suite struct BackgroundThreadsTests {
  /// What was run, by token; runs of `blocking` last until they are told to stop.
  private final class Runs: Sendable {
    let started = Mutex<[UInt64]>([])
    let ended = Mutex<[UInt64]>([])
    func run(_ order: DiskOrder) {
      started.withLock { $0.append(order.token.value) }
      while order.shard == 1, !order.pace.mustStop { ottla_sleep(1_000_000) }
      ended.withLock { $0.append(order.token.value) }
    }
    func awaitStart(_ count: Int) { while started.withLock({ $0.count }) < count { ottla_sleep(1_000_000) } }
    func awaitEnd(_ count: Int) { while ended.withLock({ $0.count }) < count { ottla_sleep(1_000_000) } }
  }

  private func order(_ token: UInt64, blocking: Bool) -> DiskOrder {
    DiskOrder(
      job: .measureSpace("/"), token: DiskToken(token), shard: blocking ? 1 : 0, pace: BackgroundPace(ByteRate()))
  }

  @Test func workIsDoneInItsOrderAndTheStopEndsWhatIsUnderWay() {
    let runs = Runs()
    let threads = BackgroundThreads(run: runs.run)
    for token: UInt64 in 1...3 { threads.add(order(token, blocking: false)) }
    threads.add(order(4, blocking: true))
    threads.add(order(5, blocking: true))
    runs.awaitStart(4)
    threads.stop()
    #expect(runs.ended.withLock { $0 } == [1, 2, 3, 4, 5], "what waited is told to end, and ends")
  }

  @Test func whatRunsEndsWhenItIsCancelled() {
    let runs = Runs()
    let threads = BackgroundThreads(run: runs.run)
    threads.add(order(1, blocking: true))
    runs.awaitStart(1)
    #expect(threads.cancel(DiskToken(1), shard: 1) == nil)
    runs.awaitEnd(1)
    #expect(threads.cancel(DiskToken(1), shard: 1) == nil, "it is long gone")
    threads.stop()
  }

  /// Behind long work something else is cancelled: it does not wait for its turn.
  @Test func whatWaitsComesBackToWhoCancelsIt() throws {
    let runs = Runs()
    let threads = BackgroundThreads(run: runs.run)
    threads.add(order(1, blocking: true))
    threads.add(order(2, blocking: true))
    runs.awaitStart(1)
    let back = try #require(threads.cancel(DiskToken(2), shard: 1))
    #expect(back.token == DiskToken(2) && back.pace.mustStop)
    threads.stop()
    #expect(runs.ended.withLock { $0 } == [1])
  }
}
