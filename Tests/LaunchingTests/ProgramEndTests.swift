import Glibc
import Testing

@testable import Launching

/// One after the other: signals are the whole process's.
@Suite(.serialized) struct ProgramEndTests {
  @Test func theFirstEndCountsForAllWhoWait() async {
    let end = ProgramEnd()
    async let first = end.wait()
    async let second = end.wait()
    end.request(because: "the disk is full")
    end.request(because: nil)
    #expect(await first == "the disk is full")
    #expect(await second == "the disk is full")
    #expect(await end.wait() == "the disk is full")
  }

  @Test(arguments: [SIGTERM, SIGINT])
  func signalsEndItInOrder(_ number: Int32) async {
    let end = ProgramEnd()
    kill(getpid(), number)
    #expect(await end.wait() == nil)
  }
}
