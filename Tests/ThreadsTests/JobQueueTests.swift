import Foundation
import Synchronization
import Testing

@testable import Threads

@Suite struct JobQueueTests {
  @Test func jobsAreTakenInTheirOrder() {
    let queue = JobQueue<Int>()
    for number in 0..<3000 { queue.add(number) }
    var taken: [Int] = []
    for _ in 0..<2500 { if let job = queue.take() { taken.append(job) } }
    taken += queue.takeAll() ?? []
    #expect(taken == Array(0..<3000))
  }

  @Test func aClosedQueueGivesWhatItHasAndThenNothingToAnybody() {
    let queue = JobQueue<Int>()
    queue.add(1)
    queue.add(2)
    queue.close()
    #expect(queue.take() == 1)
    #expect(queue.takeAll() == [2])
    #expect(queue.take() == nil && queue.takeAll() == nil)
  }

  private func start(in group: DispatchGroup, _ body: @escaping @Sendable () -> Void) {
    group.enter()
    Thread.detachNewThread {
      body()
      group.leave()
    }
  }

  /// Many add, many take, all wait for each other: nothing is lost, given twice, or left beside one who sleeps.
  @Test func everyJobIsGivenToOneOfThoseWhoWait() {
    let queue = JobQueue<Int>()
    let taken = Mutex<[Int]>([])
    let takers = DispatchGroup()
    let adders = DispatchGroup()
    for number in 0..<4 {
      start(in: takers) {
        while let jobs = number % 2 == 0 ? queue.take().map({ [$0] }) : queue.takeAll() {
          taken.withLock { $0 += jobs }
        }
      }
      start(in: adders) { for job in 0..<2000 { queue.add(number * 2000 + job) } }
    }
    adders.wait()
    queue.close()
    takers.wait()
    #expect(taken.withLock { $0.sorted() } == Array(0..<8000))
  }
}
