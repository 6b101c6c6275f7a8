from __future__ import annotations

import subprocess
import sys
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision import models

from trainers.nets import ImageNetwork, SegNet, UNet
from trainers.nets.segnet import put_back
from trainers.problems.errors import BadOption, DataMissing, WeightsUnfit

SMALL = {
    "unet": {"width": 4, "layers": 2},
    "segnet": {"width": 4, "layers": 3},
    "mtan": {"width": 4, "layers": 3},
    "deeplabv3": {"layers": 50, "width": 1},
}
NYU = (13, 1, 3)
"""Outputs for classes, depth and normals."""


def count(*parts: nn.Module) -> int:
    return sum(param.numel() for part in parts for param in part.parameters())


def convolved(n_in: int, n_out: int, side: int = 3) -> int:
    """Parameters of a convolution with a bias, and of its normalisation."""
    return n_in * n_out * side**2 + 3 * n_out


@pytest.mark.parametrize("size", [(32, 32), (37, 53)])
@pytest.mark.parametrize("name", ImageNetwork.DENSE)
def test_each_pixel_has_its_outputs(name: str, size: tuple[int, int]) -> None:
    network = ImageNetwork(name=name, **SMALL[name])
    trunk = network.trunk()
    with torch.no_grad():
        features = trunk(torch.rand(2, 3, *size))
        for n_outputs in NYU:
            assert network.head(n_outputs)(features).shape == (2, n_outputs, *size)


def test_each_image_has_its_outputs() -> None:
    network = ImageNetwork(name="resnet")
    assert network.head(40)(network.trunk()(torch.rand(2, 3, 64, 64))).shape == (2, 40)


@pytest.mark.parametrize("name", ImageNetwork.DENSE)
def test_all_parameters_are_learned(name: str) -> None:
    network = ImageNetwork(name=name, **SMALL[name])
    trunk, head = network.trunk(), network.head(2)
    head(trunk(torch.rand(2, 3, 32, 32))).square().mean().backward()
    parts = {"trunk": trunk, "head": head}
    unused = [
        f"{of}.{name}"
        for of, part in parts.items()
        for name, param in part.named_parameters()
        if param.grad is None
    ]
    assert unused == []


@pytest.mark.parametrize("name", ["unet", "segnet", "mtan"])
def test_channels_are_those_of_the_images(name: str) -> None:
    network = ImageNetwork(name=name, **SMALL[name])
    assert network.head(1)(network.trunk(1)(torch.rand(2, 1, 16, 16))).shape == (2, 1, 16, 16)
    with pytest.raises(BadOption, match="images of 3 channels"):
        ImageNetwork(name="resnet").trunk(1)


class TestCounts:
    """Of parameters, against what is published."""

    @pytest.fixture(autouse=True)
    def _no_numbers(self) -> Iterator[None]:
        with torch.device("meta"):
            yield

    def test_segnet_is_that_of_mtans_code(self) -> None:
        """By which lorenmt/mtan divides its counts: one task of 13 classes."""
        network = ImageNetwork(name="segnet")
        assert count(network.trunk(), network.head(13)) == 24_981_069

    def test_mtan_is_that_of_its_code(self) -> None:
        """Layer by layer as in lorenmt/mtan and LibMTL's example, without UW's three scales."""
        network = ImageNetwork(name="mtan")
        channels = (64, 128, 256, 512, 512)
        masks = convolved(64, 64, 1) + convolved(64, 64, 1)  # encoder, stage of most detail
        masks += convolved(128, 64, 1) + convolved(64, 64, 1)  # decoder
        for n, above in zip(channels[1:], channels, strict=False):
            masks += convolved(2 * n, n, 1) + convolved(n, n, 1)
            masks += convolved(n + above, above, 1) + convolved(above, above, 1)
        between = sum(
            convolved(*pair) for pair in ((64, 128), (128, 256), (256, 512), (512, 512), (512, 512))
        )
        between += sum(
            convolved(*pair) for pair in ((64, 64), (128, 64), (256, 128), (512, 256), (512, 512))
        )
        of_segnet = ImageNetwork(name="segnet")
        heads = sum(count(of_segnet.head(n)) for n in NYU)
        assert count(network.trunk()) == count(of_segnet.trunk()) + between
        whole = count(network.trunk(), *(network.head(n) for n in NYU))
        assert whole == count(of_segnet.trunk()) + between + heads + 3 * masks

    @pytest.mark.parametrize(
        ("depth", "published"),
        [
            (50, models.segmentation.DeepLabV3_ResNet50_Weights),
            (101, models.segmentation.DeepLabV3_ResNet101_Weights),
        ],
    )
    def test_deeplab_is_torchvisions(self, depth: int, published: type[models.WeightsEnum]) -> None:
        """Torchvision's documents count 21 classes, and an auxiliary classifier that training here
        does without."""
        network = ImageNetwork(name="deeplabv3", layers=depth)
        auxiliary = models.segmentation.fcn.FCNHead(1024, 21)
        of_all = count(network.trunk(), network.head(21), auxiliary)
        assert of_all == published["COCO_WITH_VOC_LABELS_V1"].meta["num_params"]

    @pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
    def test_resnets_are_torchvisions(self, depth: int) -> None:
        network = ImageNetwork(name="resnet", layers=depth)
        published = getattr(models, f"ResNet{depth}_Weights")["IMAGENET1K_V1"].meta["num_params"]
        assert count(network.trunk(), network.head(1000)) == published

    def test_a_wide_resnet_is_torchvisions(self) -> None:
        network = ImageNetwork(name="resnet", layers=50, width=128)
        published = models.Wide_ResNet50_2_Weights.IMAGENET1K_V1.meta["num_params"]
        assert count(network.trunk(), network.head(1000)) == published

    @pytest.mark.parametrize("network", [UNet, SegNet])
    def test_networks_grow_with_width_and_depth(self, network: type[UNet | SegNet]) -> None:
        for sizes in ([(4, 2), (8, 2), (16, 2)], [(4, 1), (4, 2), (4, 3), (4, 4)]):
            counts = [count(network(width=width, depth=depth)) for width, depth in sizes]
            assert counts == sorted(set(counts))


@pytest.mark.parametrize("size", [(8, 8), (7, 9)])
def test_maxima_are_put_back_as_torch_does(size: tuple[int, int]) -> None:
    images = torch.rand(2, 3, *size)
    maxima, places = nn.MaxPool2d(2, return_indices=True)(images)
    expected = nn.MaxUnpool2d(2)(maxima, places, output_size=size)
    assert torch.equal(put_back(maxima, places, images), expected)


def test_deeplab_gives_what_torchvisions_gives() -> None:
    network = ImageNetwork(name="deeplabv3", width=8)
    trunk, head = network.trunk().eval(), network.head(3).eval()
    backbone = models.resnet50(width_per_group=8, replace_stride_with_dilation=[False, True, True])
    backbone.load_state_dict(trunk.state_dict(), strict=False)
    layers = models._utils.IntermediateLayerGetter(backbone, {"layer4": "out"})
    theirs = models.segmentation.DeepLabV3(layers, head.head).eval()
    images = torch.rand(2, 3, 37, 53)
    with torch.no_grad():
        assert torch.equal(head(trunk(images)), theirs(images)["out"])


def test_a_resnet_gives_what_torchvisions_gives() -> None:
    network = ImageNetwork(name="resnet")
    trunk = network.trunk().eval()
    theirs = models.resnet18().eval()
    theirs.load_state_dict(trunk.state_dict(), strict=False)
    theirs.fc = nn.Identity()
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(trunk(images), theirs(images))


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"name": "unett"}, "Did you mean `unet`"),
            ({"name": "resnet", "among": ImageNetwork.DENSE}, "one of 'unet', 'segnet'"),
            ({"name": "unet", "width": 0}, "`width` must be a whole number of at least 1"),
            ({"name": "unet", "layers": 1.5}, "`layers` must be a whole number"),
            ({"name": "deeplabv3", "layers": 18}, "`layers` must be one of 50, 101, 152"),
            ({"name": "resnet", "width": 32}, "must be 64 below 50 layers"),
            ({"name": "unet", "pretrained": "x.pt", "among": ImageNetwork.DENSE}, "of: deeplabv3."),
        ],
    )
    def test_what_there_is_not_is_refused(self, options: dict[str, object], message: str) -> None:
        with pytest.raises(BadOption, match=message):
            ImageNetwork(**options)

    @pytest.mark.parametrize(
        ("network", "title"),
        [
            (ImageNetwork(name="unet"), "U-Net of 3 levels, width 16"),
            (ImageNetwork(name="mtan", layers=4), "MTAN on SegNet of 4 stages, width 64"),
            (ImageNetwork(name="deeplabv3", layers=101), "DeepLabV3 with ResNet-101, width 64"),
        ],
    )
    def test_a_title_tells_size(self, network: ImageNetwork, title: str) -> None:
        assert network.title == title

    def test_a_title_loads_no_torch(self) -> None:
        script = (
            "import sys; from trainers.nets import ImageNetwork; "
            "ImageNetwork(name='deeplabv3').title; print('torch' in sys.modules)"
        )
        run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert run.stdout == "False\n"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a ResNet-18, for all tests; who changes them writes a file of its own."""
    torch.manual_seed(5)
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(models.resnet18().state_dict(), path)
    return path


class TestPretrained:
    def test_the_trunk_begins_from_the_file(self, file: Path) -> None:
        trunk = ImageNetwork(name="resnet", pretrained=str(file)).trunk()
        weights = torch.load(file)
        assert all(torch.equal(of, weights[name]) for name, of in trunk.state_dict().items())

    def test_older_files_count_no_batches(self, file: Path, tmp_path: Path) -> None:
        weights, other = torch.load(file), tmp_path / "older.pth"
        older = {n: of for n, of in weights.items() if not n.endswith("num_batches_tracked")}
        torch.save(OrderedDict(older), other)
        trunk = ImageNetwork(name="resnet", pretrained=str(other)).trunk()
        assert torch.equal(trunk.state_dict()["conv1.weight"], weights["conv1.weight"])

    def test_the_title_tells_the_files_bytes(self, tmp_path: Path) -> None:
        file = tmp_path / "weights.pth"
        file.write_bytes(b"some")
        network = ImageNetwork(name="resnet", pretrained=str(file))
        before = network.title
        assert before.startswith("ResNet-18, width 64, from weights with SHA-256 ")
        file.write_bytes(b"other")
        assert network.title != before


class TestUnfit:
    """Weights that are refused, by networks that hold no numbers: those are of no matter."""

    @pytest.fixture(autouse=True)
    def _no_numbers(self, file: Path) -> Iterator[None]:
        with torch.device("meta"):
            yield

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"layers": 34}, r"weights of ResNet-34\. .*resnet18.pth lacks layer1\.2\..* more"),
            ({"layers": 50}, r"lacks layer1.*; has \[64, 64, 3, 3\] for layer1\.0\.conv1"),
        ],
    )
    def test_weights_of_another_network_are_refused(
        self, file: Path, options: dict[str, int], message: str
    ) -> None:
        with pytest.raises(WeightsUnfit, match=message):
            ImageNetwork(name="resnet", pretrained=str(file), **options).trunk()

    def test_what_the_network_lacks_is_refused(self, file: Path, tmp_path: Path) -> None:
        more, other = {"layer5.weight": torch.zeros(1, device="cpu")}, tmp_path / "more.pth"
        torch.save({**torch.load(file, map_location="cpu"), **more}, other)
        with pytest.raises(WeightsUnfit, match=r"has layer5\.weight, which that has not"):
            ImageNetwork(name="resnet", pretrained=str(other)).trunk()

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ({"state_dict": {}}, "a dict under 'state_dict'"),
            ([1], "holds a list"),
        ],
    )
    def test_files_of_another_kind_are_refused(
        self, tmp_path: Path, content: object, message: str
    ) -> None:
        other = tmp_path / "other.pth"
        torch.save(content, other)
        with pytest.raises(WeightsUnfit, match=message):
            ImageNetwork(name="resnet", pretrained=str(other)).trunk()

    def test_weights_that_are_no_numbers_are_refused(self, file: Path, tmp_path: Path) -> None:
        weights, other = torch.load(file, map_location="cpu"), tmp_path / "other.pth"
        weights["bn1.bias"][0] = torch.nan
        torch.save(weights, other)
        with pytest.raises(WeightsUnfit, match=r"NaN or infinity in bn1\.bias\. Take"):
            ImageNetwork(name="resnet", pretrained=str(other)).trunk()

    @pytest.mark.parametrize("n_bytes", [0, 1000])
    def test_a_broken_file_is_refused(self, file: Path, tmp_path: Path, n_bytes: int) -> None:
        torn = tmp_path / "torn.pth"
        torn.write_bytes(file.read_bytes()[:n_bytes])
        with pytest.raises(WeightsUnfit, match=r"cannot be read: \w"):
            ImageNetwork(name="resnet", pretrained=str(torn)).trunk()

    def test_a_missing_file_is_told(self, tmp_path: Path) -> None:
        network = ImageNetwork(name="deeplabv3", pretrained=str(tmp_path / "none.pth"))
        with pytest.raises(DataMissing, match=r"none\.pth: no such file"):
            _ = network.title
        with pytest.raises(DataMissing, match=r"none\.pth is not there"):
            network.trunk()
