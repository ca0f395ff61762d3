"""Shapes of the networks' convolutions, for synthetic tickets and as a check on the real ones."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ConvShape:
    """A convolution: weights (K, C, kh, kw), the output positions H·W they are used at, and
    those of its input."""

    name: str
    weights: tuple[int, int, int, int]
    positions: int
    input_positions: int


def plain_convs(plan: tuple[int | str, ...], channels: int, side: int) -> list[ConvShape]:
    """3×3 convolutions of a VGG-style plan: a number is a layer's filters, "P" halves the side."""
    convs: list[ConvShape] = []
    for step in plan:
        if isinstance(step, int):
            name, here = f"conv{len(convs) + 1}", side * side
            convs.append(ConvShape(name, (step, channels, 3, 3), here, here))
            channels = step
        else:
            side //= 2
    return convs


def residual_convs(
    stages: tuple[tuple[int, int, int], ...], stem: int, channels: int, side: int
) -> list[ConvShape]:
    """3×3 convolutions of a ResNet of basic blocks, with 1×1 shortcuts where shapes change.

    stages: (filters, blocks, stride), the stride of the first block.
    """
    convs = [ConvShape("conv1", (stem, channels, 3, 3), side * side, side * side)]
    channels, before = stem, side * side
    for s, (filters, blocks, stride) in enumerate(stages, 1):
        side //= stride
        here = side * side
        for b in range(1, blocks + 1):
            name = f"stage{s}.block{b}"
            convs.append(ConvShape(f"{name}.conv1", (filters, channels, 3, 3), here, before))
            if channels != filters or here != before:
                convs.append(ConvShape(f"{name}.shortcut", (filters, channels, 1, 1), here, before))
            convs.append(ConvShape(f"{name}.conv2", (filters, filters, 3, 3), here, here))
            channels, before = filters, here
    return convs


def tied_convs(convs: list[ConvShape]) -> tuple[tuple[str, ...], ...]:
    """Convolutions whose filters are added to one another: those that end a stage's blocks, with
    the shortcut, or the first convolution, that they are added to."""
    groups: list[list[str]] = []
    for conv in convs:
        if conv.name == "conv1" or conv.name.endswith(".shortcut"):
            groups.append([conv.name])
        elif conv.name.endswith(".conv2"):
            groups[-1].append(conv.name)
    return tuple(tuple(group) for group in groups if len(group) > 1)


VGG9 = (64, 64, "P", 128, 128, "P", 256, 256, 256, "P")
VGG16 = (64, 64, "P", 128, 128, "P", 256, 256, 256, "P", 512, 512, 512, "P", 512, 512, 512, "P")
VGG16_SMALL = tuple(step if step == "P" else int(step) // 4 for step in VGG16[:-1])
RESNET19 = ((128, 3, 2), (256, 3, 2), (512, 2, 2))
RESNET19_SMALL = tuple((filters // 4, blocks, stride) for filters, blocks, stride in RESNET19)
RESNET19_WIDE = ((128, 3, 1), (256, 3, 2), (512, 2, 2))
DIGITS = (32, 32, "P", 64, 64, "P")

CONV_SHAPES = {
    "digits": plain_convs(DIGITS, channels=1, side=8),
    "vgg9": plain_convs(VGG9, channels=3, side=32),
    "vgg16": plain_convs(VGG16, channels=3, side=32),
    "vgg16-small": plain_convs(VGG16_SMALL, channels=3, side=16),
    "resnet19": residual_convs(RESNET19, stem=64, channels=3, side=32),
    "resnet19-small": residual_convs(RESNET19_SMALL, stem=16, channels=3, side=16),
    "resnet19-wide": residual_convs(RESNET19_WIDE, stem=128, channels=3, side=32),
}
"""Network name to its convolutions in the order they run; the first one encodes the input."""

TIES = {name: tied_convs(convs) for name, convs in CONV_SHAPES.items()}
"""Network name to the convolutions that share an order of filters, see `Ticket.ties`."""
