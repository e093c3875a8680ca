import Testing
import UserNotifications

@Suite struct UserDirectoryTests {
  @Test func fourUsersExist() throws {
    #expect(UserDirectory.demo.users.map(\.id) == [1, 2, 3, 4])
    #expect(try UserDirectory.demo.user(withID: "3").name == "Chi")
  }

  @Test(arguments: ["", "x", "1.0", " 1", "9999999999999999999999", "1; DROP"])
  func whatIsNoNumberIsBad(_ text: String) {
    #expect(throws: UserError.badID(text)) { try UserDirectory.demo.user(withID: text) }
    #expect(UserError.badID(text).status == 400)
  }

  @Test(arguments: [0, 5, -1]) func aNumberThatNobodyHasIsNotFound(_ id: Int) {
    let error = UserError.unknown(id: id, known: [1, 2, 3, 4])
    #expect(throws: error) { try UserDirectory.demo.user(withID: "\(id)") }
    #expect(error.status == 404 && error.description == "there is no user \(id); there are 1, 2, 3, 4")
  }
}
