"""A short synthetic film for someone with none at hand: scenes of different look, pace and sound, by ffmpeg alone."""

from dataclasses import dataclass
from pathlib import Path

from backend.files import file_atomically
from backend.media.encode import ENCODE_FLAGS, Progress, binary, encode

RATE = 24
WIDTH, HEIGHT = 640, 360
SAMPLE_RATE_HZ = 32000

# It swells and ebbs: an even one would be taken for a test tone.
PAD = "(0.08*sin(2*PI*110*t)+0.05*sin(2*PI*165*t)+0.03*sin(2*PI*277*t))*(0.6+0.4*sin(2*PI*0.15*t))"
MURMUR = "0.30*(sin(2*PI*140*t)+0.6*sin(2*PI*420*t)+0.3*sin(2*PI*910*t))*max(0,sin(2*PI*3.4*t))*gt(mod(t,2.7),0.7)"
KICK = "0.70*sin(2*PI*58*mod(t,0.5))*exp(-8*mod(t,0.5))"
HAT = "0.25*(2*random(0)-1)*exp(-45*mod(t+0.25,0.25))"
BASS = "0.14*(2*mod(55*t,1)-1)*gt(mod(t,1),0.25)"
LEAD = "0.12*sin(2*PI*(440+110*floor(mod(t*4,5)))*t)"
DRUMS = f"{KICK}+{HAT}+{BASS}"
STORM = "min(1,0.1+t/24)*(0.35*(2*random(0)-1)*(0.4+0.6*max(0,sin(2*PI*0.7*t)))+0.4*sin(2*PI*45*t))"
CHORD = "0.2*(sin(2*PI*262*t)+sin(2*PI*330*t)+sin(2*PI*392*t)+0.5*sin(2*PI*523*t))*(0.7+0.3*sin(2*PI*5*t))"
SILENCE = "0"


@dataclass(frozen=True)
class Actor:
    """A round thing that moves: colour, diameter in pixels, and where its left top is over time (`t`, seconds)."""

    colour: str
    size: int
    x: str
    y: str


@dataclass(frozen=True)
class Shot:
    """One shot: length in frames, an ffmpeg source as its ground, and who moves over it."""

    frames: int
    ground: str
    actors: tuple[Actor, ...] = ()


@dataclass(frozen=True)
class Scene:
    """Shots that belong together, and the sound under them: an expression over `t`, seconds of the scene."""

    shots: tuple[Shot, ...]
    sound: str

    @property
    def frames(self) -> int:
        """Length of the scene."""
        return sum(shot.frames for shot in self.shots)


def plan_sample() -> tuple[Scene, ...]:
    """The scenes of the sample film: about five minutes, calm and fast in turns, black at both ends."""
    return (
        Scene((Shot(48, _plain("black")),), SILENCE),
        Scene((Shot(96, _plain("0x10141c"), (Actor("0xe0a458", 120, "260", "120"),)),), PAD),
        Scene(tuple(_dawn(i) for i in range(4)), PAD),
        Scene(tuple(_town(i) for i in range(8)), MURMUR),
        Scene(tuple(_chase(i) for i in range(26)), DRUMS),
        Scene(tuple(_rest(i) for i in range(3)), f"0.25*({PAD})"),
        Scene(tuple(_cave(i) for i in range(4)), MURMUR),
        Scene(tuple(_storm(i) for i in range(16)), STORM),
        Scene(tuple(_finale(i) for i in range(12)), f"0.6*({CHORD}+{DRUMS}+{LEAD})"),
        Scene(tuple(_evening(i) for i in range(3)), PAD),
        Scene(tuple(_town(i) for i in range(8, 16)), MURMUR),
        Scene(tuple(_cave(i) for i in range(4, 8)), f"0.5*({STORM})"),
        Scene(tuple(_chase(i) for i in range(26, 50)), f"{DRUMS}+{LEAD}"),
        Scene(tuple(_rest(i) for i in range(3, 5)), f"0.25*({PAD})"),
        Scene(tuple(_finale(i) for i in range(12, 28)), f"0.6*({CHORD}+{DRUMS}+{LEAD})"),
        Scene(tuple(_evening(i) for i in range(3, 6)), PAD),
        Scene((Shot(48, _plain("black")),), SILENCE),
    )


def make_sample(path: Path, progress: Progress | None = None) -> Path:
    """Write the sample film to `path` (H.264, AAC, 640 x 360, 24 frames a second) and return it; raises OutputError."""
    scenes = plan_sample()
    with file_atomically(path) as temporary:
        command = [binary(), *ENCODE_FLAGS, "-y", "-filter_complex", graph(scenes), "-map", "[v]", "-map", "[a]"]
        command += ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "24", "-g", str(2 * RATE), "-pix_fmt", "yuv420p"]
        command += [
            "-c:a",
            "aac",
            "-b:a",
            "96k",
            "-movflags",
            "+faststart",
            "-flags",
            "+bitexact",
            "-fflags",
            "+bitexact",
        ]
        command += ["-f", "mp4", f"file:{temporary.resolve()}"]
        encode(command, path, sum(scene.frames for scene in scenes), progress or (lambda _: None))
    return path


def graph(scenes: tuple[Scene, ...]) -> str:
    """The film as one ffmpeg filter graph with the outputs [v] and [a]."""
    shots = [shot for scene in scenes for shot in scene.shots]
    lines = [_picture(number, shot) for number, shot in enumerate(shots)]
    lines.append("".join(f"[v{n}]" for n in range(len(shots))) + f"concat=n={len(shots)}:v=1:a=0[v]")
    for number, scene in enumerate(scenes):
        lines.append(f"aevalsrc='{scene.sound}':s={SAMPLE_RATE_HZ}:d={scene.frames / RATE}[a{number}]")
    lines.append("".join(f"[a{n}]" for n in range(len(scenes))) + f"concat=n={len(scenes)}:v=0:a=1[a]")
    return ";".join(lines)


def _picture(number: int, shot: Shot) -> str:
    parts, under = [], f"g{number}"
    parts.append(f"{shot.ground},format=yuv420p,scale={WIDTH}:{HEIGHT}:flags=bilinear,setsar=1[{under}]")
    for index, actor in enumerate(shot.actors):
        name, over = f"s{number}_{index}", f"o{number}_{index}"
        half = actor.size / 2
        disc = f"geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='255*clip({half}-hypot(X-{half},Y-{half}),0,1)'"
        # One picture of it, repeated: drawing the disc for every frame would take longer than all the rest.
        parts.append(
            f"color=c={actor.colour}:s={actor.size}x{actor.size}:r={RATE},trim=end_frame=1,format=rgba,{disc},loop=-1:1[{name}]"
        )
        parts.append(f"[{under}][{name}]overlay=x='{actor.x}':y='{actor.y}':eval=frame:format=yuv420[{over}]")
        under = over
    parts.append(f"[{under}]trim=end_frame={shot.frames},setpts=PTS-STARTPTS[v{number}]")
    return ";".join(parts)


def _plain(colour: str) -> str:
    return f"color=c={colour}:s=160x90:r={RATE}"


def _gradient(*colours: str, speed: float, seed: int) -> str:
    named = ":".join(f"c{i}={colour}" for i, colour in enumerate(colours))
    return f"gradients=s=160x90:r={RATE}:n={len(colours)}:{named}:speed={speed}:seed={seed}"


def _dawn(i: int) -> Shot:
    sun = Actor("0xffd9a0", 110, f"{120 + 110 * i}", f"250-{8 + 4 * i}*t")
    hill = Actor("0x2c2436", 440, f"{-120 + 150 * i}", "250")
    return Shot(
        (168, 144, 156, 132)[i], _gradient("0x36315c", "0xb5657a", "0xf2b48a", speed=0.002, seed=11 + i), (sun, hill)
    )


def _town(i: int) -> Shot:
    left = Actor("0xd8c2a8", 150, "120+6*sin(2*t)", "130+5*sin(3*t)")
    right = Actor("0x8fb3c9", 140, "390+5*sin(1.7*t)", "140+6*sin(2.3*t)")
    actors = ((left, right), (left,), (right,))[(0, 1, 2, 1, 2, 1, 2, 0)[i % 8]]
    ground = _gradient("0x3b4a4f", "0x77837c", speed=0.001, seed=30 + i % 3)
    return Shot((108, 76, 84, 66, 92, 58, 70, 96)[i % 8], ground, actors)


def _chase(i: int) -> Shot:
    colours = (("0x9c1f2e", "0xf2a03d"), ("0x143d6b", "0x2ec4b6"), ("0x221133", "0xd7263d"))[i % 3]
    way = "mod(900*t,800)-120" if i % 2 else "640-mod(760*t,800)"
    first = Actor("0xfff3d6", 70 + 14 * (i % 4), way, f"{60 + 40 * (i % 4)}+60*sin(9*t)")
    second = Actor("0x111111", 90, f"mod(500*t+{90 * i},800)-120", f"{200 - 30 * (i % 3)}+40*cos(7*t)")
    return Shot((34, 26, 22, 30, 18, 24, 20)[i % 7], _gradient(*colours, speed=0.2, seed=50 + i), (first, second))


def _rest(i: int) -> Shot:
    moon = Actor("0xcfd6e6", 64, f"{420 - 90 * (i % 4)}+1.5*t", "70")
    return Shot((216, 180, 168)[i % 3], _gradient("0x0b1322", "0x1f3350", speed=0.001, seed=80 + i), (moon,))


def _cave(i: int) -> Shot:
    scale = (1.2, 0.4, 0.12, 0.05)[i % 4]
    ground = f"mandelbrot=s=256x144:r={RATE}:maxiter=90:start_scale={scale}:end_scale=0.02:end_pts=600"
    tint = f"{ground},hue=s=0.5:b={(-2, -1.5, -2, -1)[i % 4]}:h={60 * (i // 4)}"
    return Shot(
        (104, 92, 80, 96)[i % 4], tint, (Actor("0xffb347", 56, f"{200 + 60 * (i % 4)}+30*sin(t)", "190+12*cos(1.3*t)"),)
    )


def _storm(i: int) -> Shot:
    ground = _gradient(
        "0x0d0f14", "0x4a5568", "0xdfe7f2" if i % 4 == 3 else "0x20242c", speed=0.05 + 0.02 * i, seed=100 + i
    )
    drop = Actor("0x9fb4cc", 40 + 6 * i, f"mod({200 + 60 * i}*t,760)-80", f"mod({260 + 50 * i}*t,440)-60")
    frames = max(9, 92 - 13 * i) if i < 12 else 12
    return Shot(frames, ground, (drop,))


def _finale(i: int) -> Shot:
    colours = (("0xff5e5b", "0xffed66", "0x00cecb"), ("0xffed66", "0x8f2dfb", "0xff5e5b"))[i % 2]
    ball = Actor("0xffffff", 130, "255+170*sin(5*t)", "115+90*cos(6*t)")
    spark = Actor("0xffed66", 50, "300+260*cos(8*t)", "150+140*sin(7*t)")
    return Shot((40, 30, 36, 24, 28, 20)[i % 6], _gradient(*colours, speed=0.12, seed=140 + i), (ball, spark))


def _evening(i: int) -> Shot:
    sun = Actor("0xf08a5d", 120, f"{380 - 120 * (i % 3)}", f"150+{6 + 3 * (i % 3)}*t")
    return Shot(
        (132, 120, 144)[i % 3], _gradient("0x1b1b3a", "0x693668", "0xf08a5d", speed=0.002, seed=170 + i), (sun,)
    )
