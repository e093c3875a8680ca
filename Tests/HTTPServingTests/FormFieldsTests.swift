import Testing

@testable import HTTPServing

@Suite struct FormFieldsTests {
  private func fields(_ text: String) -> FormFields? { FormFields(encoded: Array(text.utf8)) }

  @Test func fieldsAreDecoded() throws {
    let form = try #require(fields("fromID=1&message=Xin+ch%C3%A0o%21&flag&a=b=c&fromID=2"))
    #expect(form["fromID"] == "1")
    #expect(form["message"] == "Xin chào!")
    #expect(form["flag"] == "")
    #expect(form["a"] == "b=c")
    #expect(form["none"] == nil)
    #expect(fields("")?.fields == [])
  }

  @Test func whatCannotBeDecodedIsRefused() {
    for wrong in ["a=%", "a=%1", "a=%zz", "a=%ff%fe", "%=a"] { #expect(fields(wrong) == nil, "\(wrong)") }
  }

  @Test func whatIsRequiredIsAskedFor() throws {
    let form = try #require(fields("a=1&b="))
    #expect(try form.required("a") == "1")
    #expect(throws: HTTPError(400, "the field \"b\" is missing")) { try form.required("b") }
  }
}
