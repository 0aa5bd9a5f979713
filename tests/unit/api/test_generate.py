from mcnode.api.generate import GENERATED_DIR, generate


def test_committed_files_are_what_the_sources_give() -> None:
    made = generate()
    committed = {path.name: path.read_text() for path in GENERATED_DIR.iterdir() if path.is_file()}
    assert sorted(committed) == sorted(made)
    for name, text in made.items():
        assert committed[name] == text, f"{name} differs; run `make proto`"
