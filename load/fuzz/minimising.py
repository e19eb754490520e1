"""The smallest conversation that still does it: delta debugging over pieces, lines, then bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["minimised"]

Pieces = tuple[bytes, ...]


def minimised(
    pieces: Sequence[bytes], still: Callable[[Pieces], bool], *, tries: int = 200
) -> Pieces:
    """A smaller conversation for which `still` holds, within so many questions.

    `still` is not asked about the one given. Pieces go first, then halves, quarters… of each.
    """
    left = tries

    def ask(candidate: Pieces) -> bool:
        nonlocal left
        if left <= 0:
            return False
        left -= 1
        return still(candidate)

    best = tuple(pieces)
    for at in reversed(range(len(best))):
        without = best[:at] + best[at + 1 :]
        if without and ask(without):
            best = without
    for at in range(len(best)):

        def with_piece(data: bytes, at: int = at, others: Pieces = best) -> Pieces:
            return (*others[:at], data, *others[at + 1 :])

        data = best[at]
        size = max(1, len(data) // 2)
        while left > 0 and data:
            start, shrunk = 0, False
            while start < len(data) and left > 0:
                shorter = data[:start] + data[start + size :]
                if ask(with_piece(shorter)):
                    data, shrunk = shorter, True
                else:
                    start += size
            if size == 1 and not shrunk:
                break
            size = max(1, size if shrunk else size // 2)
        best = with_piece(data)
    return best
