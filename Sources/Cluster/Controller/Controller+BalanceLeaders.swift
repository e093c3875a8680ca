internal import Configuration
internal import KafkaProtocol
internal import Primitives

extension Controller {
  /// Moves at most `limits.leaderMovesPerBalanceMax` leaderships; what is left is for the next time.
  func balanceLeaders() -> Decision<MetadataRecord, ControllerReply> {
    guard effectiveConfig.autoLeaderRebalanceEnable else { return Decision(reply: .leadersBalanced(partitionCount: 0)) }
    let lacking = brokersLackingLeadership
    let election = LeaderElection(brokers: LivingBrokers(image.brokers), isUncleanAllowed: false)
    var records: [MetadataRecord] = []
    changePartitions { partition in
      records.count < limits.leaderMovesPerBalanceMax && partition.leader != partition.preferredLeader
        && !partition.isReassigning && lacking.contains(partition.preferredLeader)
        && election.isEligible(partition.preferredLeader, in: partition)
    } _: { old, _ in
      var partition = old
      partition.leader = old.preferredLeader
      return election.settled(partition, from: old)
    } note: { record, _ in
      records.append(record)
    }
    return Decision(records: records, reply: .leadersBalanced(partitionCount: records.count))
  }

  /// Brokers that do not lead more than the allowed share of the partitions they are preferred for.
  private var brokersLackingLeadership: Set<BrokerID> {
    var preferred: [BrokerID: (all: Int, ledByOthers: Int)] = [:]
    for name in image.topicNames {
      for partition in image.topic(named: name)?.partitions ?? [] {
        preferred[partition.preferredLeader, default: (0, 0)].all += 1
        if partition.leader != partition.preferredLeader {
          preferred[partition.preferredLeader, default: (0, 0)].ledByOthers += 1
        }
      }
    }
    let percentage = Int(effectiveConfig.leaderImbalancePerBrokerPercentage)
    return Set(preferred.filter { $0.value.ledByOthers * 100 > $0.value.all * percentage }.keys)
  }
}
