"""Files of a Linux machine, as below / on one, written below another folder."""

from pathlib import Path


def write_machine(root: Path, proc: dict[str, str], groups: str, group_files: dict[str, str]) -> None:
    """Write files below /proc, the process's list of control groups, and files below the groups' mount."""
    mounted = {f"sys/fs/cgroup/{name}": text for name, text in group_files.items()}
    texts = {f"proc/{name}": text for name, text in proc.items()} | {"proc/self/cgroup": groups} | mounted
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
