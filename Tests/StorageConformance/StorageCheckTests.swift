// What readiness and `doctor` ask a storage. Its three seconds are a promise to whoever waits for the answer, so this
// runs alone: a store that shares two cores with every other test needs longer.

import Storage
import TestSupport
import Testing

@Suite struct StorageCheckTests {
    @Test(arguments: StorageFixture.all)
    func `a storage that works says so`(fixture: StorageFixture) async throws {
        try await fixture.with { storage in
            #expect(await eventually { (try? await storage.check()) != nil })
        }
    }
}
