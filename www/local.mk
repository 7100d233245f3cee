## The page and the SDK.
