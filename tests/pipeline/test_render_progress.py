"""Progress of a render: frames to a function, steps to the terminal and to an object."""


def test_the_callback_is_called_after_every_frame(render):
    events = []
    render(frames="3-4", progress=events.append)
    assert [(event.number, event.done, event.total, event.status) for event in events] == [
        (3, 1, 2, "good"),
        (4, 2, 2, "good"),
    ]


def test_steps_are_lines_without_a_terminal(render, capfd, clips, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    reading = [f"reading {clips.shot}: 6 frames of 320x240", f"reading {clips.plate}: 3 frames of 320x240"]

    def printed():
        """The printed lines, without those that a slow machine repeats every ten seconds."""
        lines, errors = capfd.readouterr()
        assert not errors
        return [line for line in lines.splitlines() if not line.endswith(")")]

    render(frames="1", progress=True)
    assert printed() == [*reading, "indexing the plate: 3 frames", "rendering frame 1"]
    render(frames="2", progress=True, output=tmp_path / "again")
    assert printed() == [*reading, "the plate was indexed before: 3 frames", "rendering frame 2"]


def test_a_progress_object_gets_every_step(render, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    class Listener:
        def __init__(self):
            self.heard = []

        def step(self, name, text, **facts):
            self.heard.append((name, facts.get("frames")))

        def advance(self, done, total):
            self.heard.append((done, total))

        def frame(self, event):
            self.heard.append(event.number)

    listener = Listener()
    render(frames="2", progress=listener)
    indexing = [("plate_index", 3), (1, 3), (2, 3), (3, 3)]
    assert listener.heard == [("shot", 6), ("plate", 3), *indexing, ("render", 1), 2]
