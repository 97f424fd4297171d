// Which repositories a virtual one may be made of. Rules: HTTP contract, 3.3; members exist, none leads back to itself,
// and they stand in each other only so deep.

/// The virtual repositories of a tenant and their members.
package struct MemberGraph: Hashable, Sendable {
    /// A virtual repository of plain ones has the depth 1.
    package static let depthLimit = 5
    package static let memberLimit = 100
    /// Of the repositories that a virtual one reads, with those inside its members.
    package static let leafLimit = 500

    /// Every repository of the tenant; those that are not virtual have no members.
    private var members: [RepoKey: [RepoKey]]

    package init(_ members: [RepoKey: [RepoKey]]) { self.members = members }

    /// The same graph after `key` is made of `members`.
    package func replacing(_ key: RepoKey, madeOf members: [RepoKey]) -> MemberGraph {
        var changed = self
        changed.members[key] = members
        return changed
    }

    /// The same graph without `key`: no repository has it as a member.
    package func removing(_ key: RepoKey) -> MemberGraph {
        var changed = self
        changed.members[key] = nil
        for container in self.containers(of: key) { changed.members[container]?.removeAll { $0 == key } }
        return changed
    }

    /// The repositories without members that `key` is made of, also through virtual repositories inside it: in order, each
    /// once. The first member comes with all that is inside it before the second.
    package func leaves(of key: RepoKey) -> [RepoKey] {
        var leaves: [RepoKey] = []
        var visited: Set<RepoKey> = [key]
        func walk(_ key: RepoKey) {
            for member in self.members[key] ?? [] where visited.insert(member).inserted {
                if self.members[member]?.isEmpty ?? true { leaves.append(member) } else { walk(member) }
            }
        }
        walk(key)
        return leaves
    }

    /// The virtual repositories that `key` is inside of, directly or through others; by key.
    package func containers(of key: RepoKey) -> [RepoKey] {
        var found: Set<RepoKey> = []
        var waiting = [key]
        while let next = waiting.popLast() {
            for (container, members) in self.members where members.contains(next) {
                if found.insert(container).inserted { waiting.append(container) }
            }
        }
        return found.sorted()
    }

    /// Looks whether `key` may be made of `members`.
    ///
    /// - Throws: `bad_request` where one does not exist, is `key` itself, or there are too many; `conflict` where one
    ///   leads back to `key`, or virtual repositories would stand in each other too deep.
    package func check(_ key: RepoKey, madeOf members: [RepoKey]) throws(Refusal) {
        guard members.count <= Self.memberLimit else {
            throw .badRequest("memberRepos must name at most \(Self.memberLimit) repositories.")
        }
        for member in members {
            guard member != key else { throw .badRequest("memberRepos cannot name '\(key)' itself.") }
            guard self.members[member] != nil else {
                throw .badRequest("memberRepos names '\(member)', which does not exist.")
            }
        }
        let changed = self.replacing(key, madeOf: members)
        if let path = changed.cycle(from: key) {
            let steps = path.map { "'\($0)'" }.joined(separator: " → ")
            throw .conflict("memberRepos would make a circle: \(steps).")
        }
        let depth = changed.depth(below: key) + changed.depth(above: key)
        guard depth <= Self.depthLimit else {
            throw .conflict(
                "memberRepos would make \(depth) virtual repositories stand in each other; the limit is "
                    + "\(Self.depthLimit).")
        }
        for container in [key] + changed.containers(of: key) {
            let count = changed.leaves(of: container).count
            guard count <= Self.leafLimit else {
                throw .conflict(
                    "'\(container)' would be made of \(count) repositories, with those inside its members; the limit is "
                        + "\(Self.leafLimit).")
            }
        }
    }

    /// The way from `key` back to it; nil where there is none.
    private func cycle(from key: RepoKey) -> [RepoKey]? {
        var visited: Set<RepoKey> = []
        func walk(_ path: [RepoKey]) -> [RepoKey]? {
            for member in self.members[path[path.count - 1]] ?? [] {
                if member == key { return path + [member] }
                guard visited.insert(member).inserted else { continue }
                if let found = walk(path + [member]) { return found }
            }
            return nil
        }
        return walk([key])
    }

    /// How many virtual repositories stand in each other, from `key` downwards. Only for a graph without a circle
    /// through `key`; one elsewhere ends the count.
    private func depth(below key: RepoKey) -> Int { Self.depth(of: key, in: self.members.filter { !$0.value.isEmpty }) }

    /// How many virtual repositories stand around `key`.
    private func depth(above key: RepoKey) -> Int {
        var containers: [RepoKey: [RepoKey]] = [:]
        for (container, members) in self.members {
            for member in members { containers[member, default: []].append(container) }
        }
        return Self.depth(of: key, in: containers)
    }

    /// The longest way along `edges` from `key`, in edges to or from something that has edges itself.
    private static func depth(of key: RepoKey, in edges: [RepoKey: [RepoKey]]) -> Int {
        var known: [RepoKey: Int] = [:]
        var underWay: Set<RepoKey> = []
        func measure(_ key: RepoKey) -> Int {
            if let depth = known[key] { return depth }
            guard let next = edges[key], underWay.insert(key).inserted else { return 0 }
            let depth = 1 + (next.map(measure).max() ?? 0)
            underWay.remove(key)
            known[key] = depth
            return depth
        }
        return measure(key)
    }
}
