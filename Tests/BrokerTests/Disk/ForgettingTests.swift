import Storage
import Testing

@testable import Broker

@Suite struct ForgettingTests {
  private let all = Set(OffsetCheckpoint.Name.allCases)

  private func writeAll(_ forgetting: inout Forgetting, covering count: UInt64) {
    for name in OffsetCheckpoint.Name.allCases { forgetting.wrote(name, covering: count) }
  }

  @Test func aNameIsFreeWhenAllShardsAndAllFilesHaveLetItGo() {
    var forgetting = Forgetting()
    forgetting.begin(all, image: 4)
    #expect(forgetting.newlyFree(appliedImage: 4) == nil)
    for name in OffsetCheckpoint.Name.allCases.dropLast() { forgetting.wrote(name, covering: 1) }
    #expect(forgetting.newlyFree(appliedImage: 4) == nil)
    writeAll(&forgetting, covering: 1)
    #expect(forgetting.newlyFree(appliedImage: 3) == nil)
    #expect(forgetting.newlyFree(appliedImage: 4) == 4)
    #expect(forgetting.newlyFree(appliedImage: 4) == nil, "it was told")
    #expect(forgetting.newlyFree(appliedImage: 9) == nil, "no later image wants anything")
  }

  @Test func aWritingThatBeganBeforeDoesNotCount() {
    var forgetting = Forgetting()
    forgetting.begin([.recoveryPoint], image: 1)
    let count = forgetting.pieceCount
    forgetting.begin([.recoveryPoint], image: 2)
    forgetting.wrote(.recoveryPoint, covering: count)
    #expect(forgetting.isPending(.recoveryPoint))
    #expect(forgetting.newlyFree(appliedImage: 2) == 1)
    forgetting.wrote(.recoveryPoint, covering: forgetting.pieceCount)
    #expect(!forgetting.isPending(.recoveryPoint))
    #expect(forgetting.newlyFree(appliedImage: 2) == 2)
  }

  @Test func aCleaningHoldsTheName() {
    var forgetting = Forgetting()
    forgetting.begin([], image: 1)
    let cleaning = forgetting.beginCleaning(image: 1)
    #expect(forgetting.newlyFree(appliedImage: 1) == nil)
    forgetting.cleaned(cleaning)
    #expect(forgetting.newlyFree(appliedImage: 1) == 1)
  }

  @Test func whatIsAskedLateIsToldAgain() {
    var forgetting = Forgetting()
    forgetting.begin([], image: 2)
    #expect(forgetting.newlyFree(appliedImage: 2) == 2)
    forgetting.begin([.cleanerOffset], image: 2)
    #expect(forgetting.newlyFree(appliedImage: 2) == nil)
    forgetting.wrote(.cleanerOffset, covering: forgetting.pieceCount)
    #expect(forgetting.newlyFree(appliedImage: 2) == 2)
    #expect(forgetting.newlyFree(appliedImage: 2) == nil)
  }
}
