import Synchronization
import Testing

@testable import OttlaSQL

private final class Order: Sendable {
  private let list = Mutex<[Int]>([])
  var numbers: [Int] { list.withLock { $0 } }
  func add(_ number: Int) { list.withLock { $0.append(number) } }
}

@Suite struct LendingTests {
  let server = FakeServer()

  @Test func whoComesFirstIsServedFirst() async throws {
    let database = server.database()
    let (gate, open) = AsyncStream<Void>.makeStream()
    let order = Order()
    try await withThrowingTaskGroup(of: Void.self) { group in
      let (held, isHeld) = AsyncStream<Void>.makeStream()
      group.addTask {
        try await database.transaction { _ in
          isHeld.finish()
          for await _ in gate {}
        }
      }
      for await _ in held {}
      for number in 0..<10 {
        group.addTask {
          try await database.transaction { _ in order.add(number) }
        }
        // Each waits before the next comes.
        try await Task.sleep(for: .milliseconds(5))
      }
      open.finish()
      try await group.waitForAll()
    }
    #expect(order.numbers == Array(0..<10))
    #expect(server.state.withLock(\.sessionCount) == 1)
  }

  @Test func thereAreNoMoreConnectionsThanAllowed() async throws {
    let database = server.database(connectionsMax: 3)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<100 {
        group.addTask { try await database.transaction { transaction in _ = try await transaction.run("A") } }
      }
      try await group.waitForAll()
    }
    #expect(server.state.withLock(\.sessionCount) <= 3)
    #expect(server.log.count == 300)
  }

  @Test func aCancelledWaiterGoesAndTakesNothingWithIt() async throws {
    let database = server.database()
    let (gate, open) = AsyncStream<Void>.makeStream()
    let (held, isHeld) = AsyncStream<Void>.makeStream()
    let holder = Task {
      try await database.transaction { _ in
        isHeld.finish()
        for await _ in gate {}
      }
    }
    for await _ in held {}
    let waiter = Task { try await database.run("A") }
    try await Task.sleep(for: .milliseconds(5))
    waiter.cancel()
    await #expect { try await waiter.value } throws: { ($0 as? SQLError)?.kind == .cancelled }
    // One that is cancelled before it waits.
    let early = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      _ = try await database.run("A")
    }
    await #expect { try await early.value } throws: { ($0 as? SQLError)?.kind == .cancelled }
    open.finish()
    try await holder.value
    try await database.run("B")
    #expect(server.log == ["1 BEGIN", "1 COMMIT", "1 B"])
  }

  @Test func closingWaitsForWhatIsOpenAndRefusesTheRest() async throws {
    let database = server.database()
    let (gate, open) = AsyncStream<Void>.makeStream()
    let (held, isHeld) = AsyncStream<Void>.makeStream()
    let holder = Task {
      try await database.transaction { transaction in
        isHeld.finish()
        for await _ in gate {}
        try await transaction.run("A")
      }
    }
    for await _ in held {}
    let waiter = Task { try await database.run("B") }
    try await Task.sleep(for: .milliseconds(5))
    let closing = Task { await database.close() }
    await #expect { try await waiter.value } throws: { ($0 as? SQLError)?.kind == .misuse }
    open.finish()
    try await holder.value
    await closing.value
    await #expect { try await database.run("C") } throws: { ($0 as? SQLError)?.kind == .misuse }
    #expect(server.log == ["1 BEGIN", "1 A", "1 COMMIT"])
  }
}
