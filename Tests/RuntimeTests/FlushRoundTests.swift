import Effects
import Synchronization
import Testing
import Threads

@testable import Runtime

/// A file that counts its syncs.
final class CountedFile: File {
  private let count = Mutex(0)
  private let failure: IOError?
  init(failure: IOError? = nil) { self.failure = failure }
  var syncCount: Int { count.withLock { $0 } }

  func size() throws(IOError) -> Int64 { 0 }
  func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(IOError) -> Int { 0 }
  func dropCache() {}
  func isCached(_ byteCount: Int, at position: Int64) -> Bool { true }
  func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(IOError) {}
  func write(_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, at position: Int64) throws(IOError) {}
  func preallocate(_ byteCount: Int64, at position: Int64) throws(IOError) {}
  func truncate(to byteCount: Int64) throws(IOError) {}
  func sync() throws(IOError) {
    count.withLock { $0 += 1 }
    if let failure { throw failure }
  }
}

@Suite struct FlushRoundTests {
  @Test(arguments: [0, 1, 3]) func everyFileIsSyncedOnceThoughOneFails(helperCount: Int) {
    let failure = IOError(operation: "fdatasync", path: "17", errno: 5)
    let files = (0..<100).map { CountedFile(failure: $0 == 17 ? failure : nil) }
    let round = FlushRound(files, helperCount: helperCount, helpersDone: JobQueue())
    let helpers = ThreadList()
    for _ in 0..<helperCount {
      helpers.start("helper") {
        round.work()
        round.leave()
      }
    }
    round.work()
    round.waitForHelpers()
    #expect(files.allSatisfy { $0.syncCount == 1 })
    #expect(round.failure == failure)
    helpers.join()
  }
}
