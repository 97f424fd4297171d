// Open descriptors of objects that are read often. An object never changes, so a descriptor is right as long as it lives.

import Domain
import HTTP
import Synchronization

/// A bounded set of open files. What has not been asked for since the hand came by makes room (the clock algorithm).
final class DescriptorCache: Sendable {
    private struct Slot {
        let key: StorageKey
        let file: OpenFile
        var wasUsed: Bool
    }

    private struct State {
        var slots: [Slot?] = []
        var places: [StorageKey: Int] = [:]
        var free: [Int] = []
        var hand = 0

        mutating func remove(_ key: StorageKey) -> OpenFile? {
            guard let index = self.places.removeValue(forKey: key) else { return nil }
            defer { self.slots[index] = nil }
            self.free.append(index)
            return self.slots[index]?.file
        }
    }

    private let capacity: Int
    private let state = Mutex(State())

    init(capacity: Int) { self.capacity = capacity }

    func file(_ key: StorageKey) -> OpenFile? {
        self.state.withLock { state in
            guard let index = state.places[key] else { return nil }
            state.slots[index]?.wasUsed = true
            return state.slots[index]?.file
        }
    }

    func insert(_ key: StorageKey, _ file: OpenFile) {
        let evicted: OpenFile? = self.state.withLock { state in  // closed outside of the lock
            guard self.capacity > 0, state.places[key] == nil else { return nil }
            var evicted: OpenFile?
            if state.free.isEmpty, state.slots.count >= self.capacity {
                while let slot = state.slots[state.hand] {
                    if !slot.wasUsed {
                        evicted = state.remove(slot.key)
                        break
                    }
                    state.slots[state.hand]?.wasUsed = false
                    state.hand = (state.hand + 1) % state.slots.count
                }
            }
            let slot = Slot(key: key, file: file, wasUsed: false)
            if let index = state.free.popLast() {
                state.slots[index] = slot
                state.places[key] = index
            } else {
                state.slots.append(slot)
                state.places[key] = state.slots.count - 1
            }
            return evicted
        }
        _ = evicted
    }

    func remove(_ key: StorageKey) {
        let removed = self.state.withLock { $0.remove(key) }
        _ = removed
    }

    /// Forgets the files for which `isStale` holds.
    func removeAll(where isStale: (OpenFile) -> Bool) {
        let files = self.state.withLock { state in state.slots.compactMap { $0.map { ($0.key, $0.file) } } }
        for (key, file) in files where isStale(file) { self.remove(key) }
    }
}
