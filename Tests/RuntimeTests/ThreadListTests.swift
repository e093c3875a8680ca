import Glibc
import Synchronization
import Testing

@testable import Runtime

@Suite struct ThreadListTests {
  @Test func joiningWaitsForAllAndMayBeRepeated() {
    let threads = ThreadList()
    let ended = Atomic<Int>(0)
    for number in 0..<8 {
      threads.start("thread-\(number)") {
        usleep(10_000)
        ended.add(1, ordering: .relaxed)
      }
    }
    threads.join()
    #expect(ended.load(ordering: .relaxed) == 8)
    threads.join()
  }
}
