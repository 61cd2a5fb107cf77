package issuerdb

// StandingForTest is the SQL of a standing, which a test compares with registry.StandingOf.
const StandingForTest = standing
