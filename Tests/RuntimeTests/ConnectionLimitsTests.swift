import Testing

@testable import Runtime

@Suite struct ConnectionLimitsTests {
  private func isTotal(_ refusal: ConnectionLimits.Refusal?) -> Bool {
    if case .total = refusal { true } else { false }
  }
  private func isIn(_ refusal: ConnectionLimits.Refusal?) -> Bool {
    if case .none = refusal { true } else { false }
  }
  private func isHost(_ refusal: ConnectionLimits.Refusal?) -> Bool {
    if case .host = refusal { true } else { false }
  }

  @Test func connectionsAreCountedInAllAndByAddress() {
    let limits = ConnectionLimits()
    #expect(isIn(limits.enter("a", totalMax: 3, hostMax: 2)))
    #expect(isIn(limits.enter("a", totalMax: 3, hostMax: 2)))
    #expect(isHost(limits.enter("a", totalMax: 3, hostMax: 2)))
    #expect(isIn(limits.enter("b", totalMax: 3, hostMax: 2)))
    #expect(isTotal(limits.enter("c", totalMax: 3, hostMax: 2)))
    limits.leave("a")
    #expect(isIn(limits.enter("a", totalMax: 3, hostMax: 2)))
  }

  @Test func aRefusalIsNotCounted() {
    let limits = ConnectionLimits()
    for _ in 0..<10 { #expect(isHost(limits.enter("a", totalMax: 5, hostMax: 0))) }
    for _ in 0..<5 { #expect(isIn(limits.enter("b", totalMax: 5, hostMax: 5))) }
    for _ in 0..<5 { limits.leave("b") }
    for _ in 0..<5 { #expect(isIn(limits.enter("b", totalMax: 5, hostMax: 5))) }
  }
}
