import OttlaSQL
import OttlaSQLite
import ServiceSteps
import Testing

@Suite struct StoppingTests {
  @Test func aPauseEndsWithTheService() async {
    let stopping = Stopping()
    #expect(await stopping.pause(.milliseconds(30)))
    let pause = Task { await stopping.pause(.seconds(3600)) }
    stopping.begin()
    #expect(await pause.value == false)
    await stopping.wait()
    #expect(stopping.hasBegun)
  }

  @Test func aDatabaseThatIsAwayIsWaitedFor() async throws {
    let stopping = Stopping()
    var tries = 0
    let away = SQLDatabase.sqlite(SQLiteOptions(path: "/nowhere/at/all.db"))
    let here = SQLDatabase.sqlite(SQLiteOptions(path: ":memory:"))
    try await stopping.untilDatabaseAnswers {
      tries += 1
      try await (tries < 2 ? away : here).run("SELECT 1")
    }
    #expect(tries == 2)
    stopping.begin()
    await #expect(throws: CancellationError.self) {
      try await stopping.untilDatabaseAnswers { try await away.run("SELECT 1") }
    }
    // What no patience mends is told at once.
    await #expect(throws: SQLError.self) {
      try await Stopping().untilDatabaseAnswers { try await here.run("SELECT nothing FROM nowhere") }
    }
  }
}
