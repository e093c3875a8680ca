import Testing

@testable import HTTPServing

@Suite struct HTTPRequestTests {
  private struct Account: Codable, Equatable {
    let name: String
    let email: String
  }

  private func request(_ body: String, type: String?) -> HTTPRequest {
    HTTPRequest(
      method: "POST", path: "/", headers: type.map { ["content-type": $0] } ?? [:], body: Array(body.utf8))
  }

  @Test func jsonIsRead() throws {
    let request = request(#"{"name":"Ân","email":"a@b.c"}"#, type: "application/json; charset=utf-8")
    #expect(try request.json(as: Account.self) == Account(name: "Ân", email: "a@b.c"))
  }

  @Test func wrongJSONSaysWhatIsWrong() {
    func error(_ body: String, _ type: String? = "application/json") -> HTTPError? {
      do throws(HTTPError) {
        _ = try request(body, type: type).json(as: Account.self)
        return nil
      } catch { return error }
    }
    #expect(error(#"{"name":"a"}"#) == HTTPError(400, "the field \"email\" is missing"))
    #expect(error(#"{"name":7,"email":"x"}"#) == HTTPError(400, "the field \"name\" is of the wrong type"))
    #expect(error("{") == HTTPError(400, "the body is not JSON"))
    #expect(error("{}", "text/plain")?.status == 415)
    #expect(error("{}", nil)?.status == 415)
  }

  @Test func formsAreRead() throws {
    #expect(try request("a=1", type: "application/x-www-form-urlencoded").form()["a"] == "1")
    #expect(throws: HTTPError.self) { try request("a=%", type: "application/x-www-form-urlencoded").form() }
    #expect(throws: HTTPError.self) { try request("a=1", type: "multipart/form-data; boundary=x").form() }
  }
}
