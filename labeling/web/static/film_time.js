// A film's frames and seconds: exact at cuts, and between them as even as the frames of a shot are.

import {rateOf, timecode} from "./words.js";

// A player rounds the starts of frames in ways of its own: their middles it finds.
const MIDDLE = 0.5;
const SLACK_FRAMES = 0.001;

export class FilmTime {
  constructor(movie, shots) {
    Object.assign(this, {shots, rate: rateOf(movie.rate), frames: movie.frames, duration: movie.duration_s, start: movie.start_timecode});
  }

  // Number of the shot at a second.
  shotAt(second) {
    let low = 0, high = this.shots.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.shots[middle].start_s <= second) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  frameAt(second) {
    const shot = this.shots[this.shotAt(second)];
    if (!shot) return Math.max(0, Math.floor(second * this.rate + SLACK_FRAMES));
    const share = (second - shot.start_s) / Math.max(shot.end_s - shot.start_s, 1e-9), frames = shot.end_frame - shot.start_frame;
    return Math.min(Math.max(shot.start_frame, shot.start_frame + Math.floor(share * frames + SLACK_FRAMES)), shot.end_frame - 1);
  }

  secondOf(frame) {
    let low = 0, high = this.shots.length - 1;
    if (high < 0) return frame / this.rate;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.shots[middle].start_frame <= frame) low = middle;
      else high = middle - 1;
    }
    const shot = this.shots[low];
    return shot.start_s + (frame - shot.start_frame) / Math.max(shot.end_frame - shot.start_frame, 1) * (shot.end_s - shot.start_s);
  }

  middleOf(frame) {
    return (this.secondOf(frame) * (1 - MIDDLE)) + this.secondOf(frame + 1) * MIDDLE;
  }

  // The cut that is nearest to a second, as {frame, second}; the film's ends count too.
  cutNear(second) {
    const shot = this.shots[this.shotAt(second)];
    const after = second - shot.start_s > shot.end_s - second;
    return after ? {frame: shot.end_frame, second: shot.end_s} : {frame: shot.start_frame, second: shot.start_s};
  }

  code(second) {
    return timecode(this.frameAt(Math.min(second, this.duration)), this.rate, this.start);
  }

  // The keyframe of the shot at a second that is nearest to it, null where there is none.
  keyframeAt(second) {
    const shot = this.shots[this.shotAt(second)], frame = this.frameAt(second);
    if (!shot?.keyframes.length) return null;
    return shot.keyframes.reduce((best, each) => (Math.abs(each - frame) < Math.abs(best - frame) ? each : best));
  }
}
