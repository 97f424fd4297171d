// Ids for requests that bring none. Source: HTTP contract, 1.6.

import Domain
import Synchronization

/// UUIDs that need not be unpredictable: one start of random bits, then a counter, mixed so that they look
/// alike. The kernel is not asked for each.
final class CorrelationIDs: Sendable {
    private let start = UniqueID.random()
    private let count = Atomic<UInt64>(0)

    func next() -> UniqueID {
        let number = self.count.wrappingAdd(1, ordering: .relaxed).newValue
        let high = Self.mix(self.start.high &+ number)
        let low = Self.mix(self.start.low ^ number)
        return UniqueID(high: high & 0xFFFF_FFFF_FFFF_0FFF | 0x4000, low: 0x8000_0000_0000_0000 | low >> 2)
    }

    /// SplitMix64's finish (Steele, Lea and Flood, 2014): different words stay different.
    private static func mix(_ word: UInt64) -> UInt64 {
        var word = word &* 0x9E37_79B9_7F4A_7C15
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}
