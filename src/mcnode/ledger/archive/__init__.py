"""Block archives: paths, files, fetching and writing."""
