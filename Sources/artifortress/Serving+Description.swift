// The description of the API, for programs.

import API
import Description
import Domain
import HTTP

extension Serving {
    var descriptionRoutes: [Route] {
        [.open("GET", "/openapi.json") { _ in .json(200, try APIDescription.current().document) }]
    }
}
