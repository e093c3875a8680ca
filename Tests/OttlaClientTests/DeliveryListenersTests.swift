import Synchronization
import Testing

@testable import OttlaClient

@Suite struct DeliveryListenersTests {
  private final class Told: Sendable {
    let outcomes = Mutex<[Int]>([])
    func note(_ number: Int) { outcomes.withLock { $0.append(number) } }
    func take() -> [Int] {
      outcomes.withLock { outcomes in
        defer { outcomes = [] }
        return outcomes
      }
    }
  }
  private final class Held: Sendable {
    let onEnd: @Sendable () -> Void
    init(onEnd: @escaping @Sendable () -> Void = {}) { self.onEnd = onEnd }
    deinit { onEnd() }
  }

  private func tell(_ bits: UInt) throws {
    let place = try #require(UnsafeMutableRawPointer(bitPattern: bits))
    DeliveryListeners.listener(at: place).tell(.failure(.closed))
  }

  private func keep(_ listener: Delivery.Listener, _ listeners: DeliveryListeners) -> UInt {
    UInt(bitPattern: listeners.keep(listener))
  }

  @Test func eachListenerIsToldWhereItIsAndPlacesAreUsedAgain() throws {
    let listeners = DeliveryListeners()
    let told = Told()
    var first: [UInt] = []
    for round in 0..<3 {
      let places = (0..<2500).map { number in keep(.init { _ in told.note(number) }, listeners) }
      #expect(Set(places).count == 2500)
      for place in places { try tell(place) }
      #expect(told.take() == Array(0..<2500))
      listeners.forget(places.map { .init(place: $0, records: 1) })
      if round == 0 { first = places }
      // Three blocks of 1024 are enough for ever.
      #expect(Set(first).union(places).count <= 3072)
    }
  }

  @Test func recordsSentOneAfterTheOtherWithOneClosureShareItsPlace() throws {
    let listeners = DeliveryListeners()
    let told = Told()
    let one = Delivery.Listener { _ in told.note(1) }
    let two = Delivery.Listener { _ in told.note(2) }
    let first = keep(one, listeners)
    #expect(keep(one, listeners) == first)
    let second = keep(two, listeners)
    #expect(second != first)
    // The one before is not looked for: it gets another place, and both are told.
    let third = keep(one, listeners)
    #expect(third != first && third != second)
    for place in [first, second, third] { try tell(place) }
    #expect(told.take() == [1, 2, 1])
  }

  /// A place that still has records is not given to others, whichever of them are forgotten first.
  @Test func aPlaceIsFreeWhenItsLastRecordIsForgotten() {
    let listeners = DeliveryListeners()
    weak var watched: Held?
    let place: UInt
    do {
      let held = Held()
      watched = held
      let listener = Delivery.Listener { _ in _ = held }
      place = keep(listener, listeners)
      for _ in 0..<4 { #expect(keep(listener, listeners) == place) }
      listeners.forget([.init(place: place, records: 2)])
      let other = keep(.init { _ in }, listeners)
      #expect(other != place)
      listeners.forget([.init(place: place, records: 2)])
    }
    #expect(watched != nil)
    listeners.forget([.init(place: place, records: 1)])
    #expect(watched == nil)
    let next = keep(.init { _ in _ = place }, listeners)
    #expect(next == place)
  }

  @Test func theLatestIsLetGoTooAndComesBack() throws {
    let listeners = DeliveryListeners()
    let told = Told()
    let listener = Delivery.Listener { _ in told.note(1) }
    let place = keep(listener, listeners)
    listeners.forget([.init(place: place, records: 1)])
    let again = keep(listener, listeners)
    let other = keep(.init { _ in told.note(2) }, listeners)
    for place in [again, other] { try tell(place) }
    #expect(told.take() == [1, 2])
  }

  /// What a closure holds may use the producer when it goes.
  @Test func aClosureThatGoesMaySend() {
    let listeners = DeliveryListeners()
    let told = Told()
    var place: UInt = 0
    do {
      let held = Held { [listeners] in
        _ = listeners.keep(.init { _ in })
        told.note(1)
      }
      place = keep(.init { _ in _ = held }, listeners)
    }
    listeners.forget([.init(place: place, records: 1)])
    #expect(told.take() == [1])
  }
}
