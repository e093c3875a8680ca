import Testing

@testable import Coordination

@Suite struct JSONValueTests {
  @Test func theTextIsInOneLineAndInOrder() {
    let value = JSONValue.object(
      ("b", .integer(-1)), ("a", .array([.null, .bool(true)])), ("text", .string("\"\\\n\u{1f}/")))
    #expect(value.text == #"{"b":-1,"a":[null,true],"text":"\"\\\u000a\u001f/"}"#)
  }

  @Test func membersOfOtherThingsAreNone() {
    #expect(JSONValue.integer(1)["a"] == nil)
    #expect(JSONValue.object(("a", .integer(1)))["b"] == nil)
    #expect(JSONValue.string("1").integer == nil && JSONValue.integer(1).string == nil && JSONValue.null.array == nil)
  }
}
