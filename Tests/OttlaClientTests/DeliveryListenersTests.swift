import Synchronization
import Testing

@testable import OttlaClient

@Suite struct DeliveryListenersTests {
  private final class Told: Sendable {
    let outcomes = Mutex<[Int]>([])
  }
  private final class Held: Sendable {}

  @Test func eachListenerIsToldWhereItIsAndPlacesAreUsedAgain() throws {
    let listeners = DeliveryListeners()
    let told = Told()
    var first: [UInt] = []
    for round in 0..<3 {
      var places: [UInt] = []
      for number in 0..<2500 {
        let place = listeners.keep(.init { _ in told.outcomes.withLock { $0.append(number) } })
        places.append(UInt(bitPattern: place))
      }
      #expect(Set(places).count == 2500)
      for bits in places {
        let place = try #require(UnsafeMutableRawPointer(bitPattern: bits))
        DeliveryListeners.tell(place, .failure(.closed))
      }
      #expect(told.outcomes.withLock { $0 } == Array(0..<2500))
      told.outcomes.withLock { $0 = [] }
      listeners.forget(places)
      if round == 0 { first = places }
      // Three blocks of 1024 are enough for ever.
      #expect(Set(first).union(places).count <= 3072)
    }
  }

  @Test func whatIsForgottenIsLetGo() {
    let listeners = DeliveryListeners()
    weak var watched: Held?
    let place: UnsafeMutableRawPointer?
    do {
      let held = Held()
      watched = held
      place = listeners.keep(.init { _ in _ = held })
    }
    #expect(watched != nil)
    listeners.forget([UInt(bitPattern: place)])
    #expect(watched == nil)
  }
}
