// Repositories.

import API
import Registry

extension Serving {
    var repositoryRoutes: [Route] {
        RepositoryRoutes(repositories: Repositories(database: self.database, clock: self.clock)).routes
            + BindingRoutes(bindings: RepositoryBindings(database: self.database, clock: self.clock)).routes
    }
}
