import Testing

@testable import OttlaOutbox

@Suite struct OutboxSettingsTests {
  @Test func whatCannotBeWorkedWithIsMadeSo() {
    var settings = OutboxSettings()
    settings.interval = .seconds(-1)
    settings.rowsMax = 0
    settings.publishesInFlightMax = -3
    settings.lease = .seconds(100_000)
    settings.retention = .seconds(-1)
    settings.failuresInARowMax = 0
    let checked = settings.checked
    #expect(checked.interval == .milliseconds(1))
    #expect(checked.rowsMax == 1)
    #expect(checked.publishesInFlightMax == 1)
    #expect(checked.lease == .seconds(600))
    #expect(checked.retention == .zero)
    #expect(checked.failuresInARowMax == 1)
    #expect(OutboxSettings().checked == OutboxSettings())
  }
}
