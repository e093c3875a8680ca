import Groups
import KafkaProtocol
import Primitives
import Testing

@Suite struct GroupAdministrationTests {
  @Test func describesAStableGroup() {
    let driver = GroupDriver()
    let member = driver.stableGroup(members: 1)[0]
    let described = driver.describe()
    #expect(described.protocolType == "consumer" && described.protocolData == "range")
    #expect(
      described.members == [
        .init(
          memberId: member, clientId: "client", clientHost: "/127.0.0.1", memberMetadata: subscription(["orders"]),
          memberAssignment: [0])
      ])
  }

  @Test func anUnknownGroupIsDead() {
    let driver = GroupDriver()
    #expect(driver.describe("x", version: 5) == .init(groupId: "x", groupState: "Dead"))
    #expect(driver.describe("x", version: 6).errorCode == .groupIdNotFound)
    #expect(driver.describe("x", version: 6).errorMessage == "Group x not found.")
  }

  @Test func listsByStateAndType() {
    let driver = GroupDriver()
    _ = driver.commit(1, group: "b")
    _ = driver.stableGroup(members: 1, group: "a")
    func list(_ states: [String], _ types: [String]) -> [String] {
      let request = ListGroupsRequest(statesFilter: states, typesFilter: types)
      guard case .listGroups(let response)? = driver.ask(.listGroups(request), version: 5)
      else { return [] }
      return response.groups.map { "\($0.groupId):\($0.protocolType):\($0.groupState):\($0.groupType)" }
    }
    #expect(list([], []) == ["a:consumer:Stable:classic", "b::Empty:classic"])
    #expect(list(["stable"], ["Classic"]) == ["a:consumer:Stable:classic"])
    #expect(list(["Dead"], []) == [])
    #expect(list([], ["consumer"]) == [])
  }

  @Test func onlyEmptyGroupsAreDeleted() {
    let driver = GroupDriver()
    _ = driver.commit(1)
    let member = driver.stableGroup(members: 1)[0]
    #expect(driver.delete("g") == .nonEmptyGroup)
    #expect(driver.delete("other") == .groupIdNotFound)
    _ = driver.leave([.init(memberId: member)])
    #expect(driver.delete("g") == ErrorCode.none)
    #expect(driver.committed() == -1)
    #expect(driver.describe().groupState == "Dead")
    driver.failOver()
    #expect(driver.describe().groupState == "Dead")
    #expect(driver.committed() == -1)
  }
}
