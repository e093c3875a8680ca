import Testing

@testable import Runtime

@Suite struct OpenFilesBudgetTests {
  private func budget(_ limit: Int, _ segmentFilesMax: Int = 4096) -> [Int] {
    let budget = OpenFilesBudget(limit: limit, segmentFilesMax: segmentFilesMax)
    return [budget.segmentFiles, budget.connections]
  }

  @Test func segmentFilesGetWhatIsAskedForWhereThereIsRoom() {
    #expect(budget(1 << 20) == [4096, (1 << 20) - 64 - 4096])
    #expect(budget(8256) == [4096, 4096])
    #expect(budget(1024, 100) == [100, 860])
  }

  @Test func whereThereIsLittleRoomItIsHalved() {
    #expect(budget(1024) == [480, 480])
    #expect(budget(256) == [96, 96])
  }

  @Test func eachGetsAFewHoweverLowTheLimitIs() {
    #expect(budget(80) == [16, 16])
    #expect(budget(0) == [16, 16])
    #expect(budget(-1) == [16, 16])
  }
}
