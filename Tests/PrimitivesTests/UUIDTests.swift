import Primitives
import Testing

@Suite struct UUIDTests {
  @Test func textRoundTrip() {
    var seed: UInt64 = 1
    for _ in 0..<1000 {
      let id = UUID(random: {
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return seed
      })
      #expect(UUID(id.description) == id)
      #expect(id.description.utf8.count == 22)
    }
  }

  @Test func knownText() {
    // base64url of 00 01 .. 0f
    let id = UUID(high: 0x0001_0203_0405_0607, low: 0x0809_0a0b_0c0d_0e0f)
    #expect(id.description == "AAECAwQFBgcICQoLDA0ODw")
    #expect(UUID("AAECAwQFBgcICQoLDA0ODw") == id)
  }

  @Test func refusesOtherText() {
    #expect(UUID("") == nil)
    #expect(UUID("AAECAwQFBgcICQoLDA0OD!") == nil)
    #expect(UUID("AAECAwQFBgcICQoLDA0ODx") == nil)
  }
}
