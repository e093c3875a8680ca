import Testing

@testable import Mailing

@Suite struct MailTemplateTests {
  @Test func valuesAreTextInTheirPlaces() throws {
    let template = try MailTemplate("<p>{{name}}: {{ text }}, {{name}}</p>")
    #expect(
      try template.html(["name": "An", "text": "<b>\"'&</b>"])
        == "<p>An: &lt;b&gt;&quot;&#39;&amp;&lt;/b&gt;, An</p>")
    // A value is no template.
    #expect(try template.html(["name": "{{text}}", "text": "x"]) == "<p>{{text}}: x, {{text}}</p>")
  }

  @Test func whatDoesNotFitIsSaid() throws {
    #expect(throws: MailTemplate.Mistake.self) { try MailTemplate("<p>{{name</p>") }
    let template = try MailTemplate("{{name}}")
    #expect(throws: MailTemplate.Mistake.self) { try template.html(["nome": "x"]) }
  }
}
