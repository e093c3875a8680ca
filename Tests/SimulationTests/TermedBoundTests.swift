import Testing

@testable import Simulation

@Suite struct TermedBoundTests {
  @Test func aCoordinatorMustKnowWhatWasAcknowledgedInItsTermOrBefore() {
    var bound = TermedBound()
    #expect(bound.known(in: .max) == nil)
    bound.note(3, in: 1)
    bound.note(7, in: 4)
    bound.note(5, in: 4)
    #expect(bound.known(in: 0) == nil)
    #expect(bound.known(in: 1) == 3 && bound.known(in: 3) == 3)
    #expect(bound.known(in: 4) == 7 && bound.known(in: .max) == 7)
  }
}
