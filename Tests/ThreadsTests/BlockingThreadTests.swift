import Foundation
import Testing

@testable import Threads

/// An actor that blocks as much as it likes.
private actor Worker {
  private let thread = BlockingThread(name: "worker")
  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
  private(set) var seen: [Int] = []
  deinit { thread.stop() }

  func see(_ number: Int) -> UInt {
    usleep(1000)
    seen.append(number)
    return UInt(pthread_self())
  }
}

@Suite struct BlockingThreadTests {
  @Test func whatAnActorDoesHappensOnOneThreadThatIsNobodyElses() async {
    let worker = Worker()
    let other = Worker()
    var threads: Set<UInt> = []
    for number in 0..<50 { threads.insert(await worker.see(number)) }
    #expect(threads.count == 1)
    #expect(await worker.seen == Array(0..<50))
    #expect(await !threads.contains(other.see(0)))
  }

  @Test func manyAtOnceLoseNothing() async {
    let worker = Worker()
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<300 { group.addTask { _ = await worker.see(number) } }
    }
    #expect(await worker.seen.sorted() == Array(0..<300))
  }

  @Test func aThreadEndsWithItsActor() async throws {
    func workers() throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count { task in
        (try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8)) == "mortal\n"
      }
    }
    do {
      let mortals = (0..<5).map { _ in Mortal() }
      for mortal in mortals { await mortal.live() }
      #expect(try workers() == 5)
    }
    for _ in 0..<500 where try workers() > 0 { try await Task.sleep(for: .milliseconds(10)) }
    #expect(try workers() == 0)
  }
}

private actor Mortal {
  private let thread = BlockingThread(name: "mortal")
  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
  deinit { thread.stop() }
  func live() {}
}
