"""All texts of the page in English; a translation would be another module with the same names.

The names and descriptions of options come from `howard.options`.
"""

TITLE = "Howard"
STARTED = "Howard is running at {address} (Ctrl-C stops it; renders in progress continue)"
LANGUAGE = "en-US"

PROJECT = "Project"
OPEN_PROJECT = "Open or create a project"
RECENT_PROJECTS = "Recent projects"
PROJECT_NAME = "Name of a new project"
CREATE = "Create"
SHOTS = "Shots"
ADD_PAIR = "Add a shot and its plate"
FOUND_PAIRS = "Pairs found in this folder by name (NAME and NAME_plate)"
ADD_FOUND = "Add {count}"
NO_PAIRS = "Add a shot and its plate to begin. Each is a video, an image sequence or a still. Files are not copied."
REMOVE_PAIR = "Remove {name} from the project (files are kept)"
SHOT = "Shot"
PLATE = "Plate"
SHOT_PATH = "The shot: a video, a folder of frames, a pattern such as shot.%04d.exr, or a still"
PLATE_PATH = "The plate: the same place without the person; or the word self"
CHOOSE_SHOT = "Choose the shot"
CHOOSE_PLATE = "Choose the plate"
CHOOSE_FILE = "Choose a file or folder"
USE_FOLDER = "Use this folder"
PARENT_FOLDER = "Parent folder"
FOLDER = "Folder"
FRAMES_IN_SEQUENCE = "{name} ({count} frames)"
ADD = "Add"
CANCEL = "Cancel"
CLOSE = "Close"
STATES = {
    "new": "new",
    "previewed": "previewed",
    "rendering": "rendering",
    "done": "done",
    "needs_a_look": "needs review",
    "error": "error",
}

VIEWS = {
    "shot": "Shot",
    "plate": "Plate frame",
    "aligned": "Aligned plate",
    "difference": "Difference",
    "coverage": "Coverage",
    "matte": "Matte",
    "foreground": "Foreground",
    "composite": "Composite",
    "shadow": "Shadow",
}
LEFT_VIEWER = "Left viewer"
RIGHT_VIEWER = "Right viewer"
LAYOUTS = {"side": "Two viewers", "wipe": "A/B wipe", "single": "One viewer"}
FIT = "Fit the frame (F)"
ACTUAL_SIZE_LABEL = "1:1"
ACTUAL_SIZE = "Actual size: one image pixel per screen pixel (Z)"
COMPUTING = "computing ..."
LOADING = "loading ..."
READY = "ready"
PIXEL = "{x}, {y}"
PIXEL_VALUES = "{pane}: {values}"
NO_SHOT = "no shot"

TIMELINE = "Timeline: arrow keys step by one frame, with Shift by ten; I and O set the in and out mark"
FRAME = "Frame"
PLAY = "Play at reduced speed (space)"
MARK_IN = "Mark in (I)"
MARK_OUT = "Mark out (O)"
CLEAR_MARKS = "Clear the marks"
LANES = {"status": "status", "strokes": "strokes", "finished": "finished"}
FRAME_STATES = {
    "good": "good alignment",
    "weak": "weak alignment",
    "failed": "failed alignment",
    "damaged": "damaged frame",
}
FRAME_PAINTED = "painted"
FRAME_FINISHED = "rendered"

SETTINGS = "Settings"
PAINT = "Paint"
SECTIONS = {
    "quality": "Quality",
    "finishing": "Finishing",
    "background": "Background and shadow",
    "outputs": "Outputs",
    "colour": "Colour of shot and plate",
    "masks": "Masks from files",
    "machine": "Machine",
}
LABELS = {
    "input_colour": "colour of the shot",
    "plate_colour": "colour of the plate",
    "layer": "EXR layer of the shot",
    "plate_layer": "EXR layer of the plate",
    "exr_compression": "EXR compression",
    "output_colour": "EXR colour",
    "layers": "EXR layers",
    "alpha_mode": "alpha",
    "background": "background",
}
RESET = "Double-click to reset"
FOLDER_LABEL = "folder"
OUTPUT_FOLDER = "Render folder; the tokens {shot}, {plate}, {quality} and {format} are replaced"
COPY_COMMAND = "Copy as command"
COMMAND_COPIED = "The equivalent command was copied to the clipboard:"

KEEP = "Keep (B)"
REMOVE = "Remove (R)"
STOP_PAINTING = "Pan (V)"
ERASE = "Erase (E)"
LINE = "Straight line (L)"
ALL_FRAMES = "On all frames"
BRUSH_SIZE = "Brush radius in pixels of the shot (wheel, [ and ])"
UNDO = "Undo (Ctrl+Z)"
REDO = "Redo (Ctrl+Shift+Z)"
CLEAR_FRAME = "Clear the strokes of this frame"
EXPORT_MASKS = "Export masks"
IMPORT_MASKS = {"garbage": "Import remove mask", "holdout": "Import keep mask"}
MASKS_EXPORTED = "The masks were written to {folder}"
PAINT_HELP = (
    "Keep marks the person, Remove marks the background. Between painted frames, remove strokes follow the background "
    "and keep strokes follow the person."
)

RENDER = "Render"
RENDER_ALL = "Render all"
RESUME = "Resume"
START_OVER = "Start over"
START_OVER_HELP = "Render all frames again? Finished frames in the render folder are overwritten."
CANCEL_RENDER = "Cancel"
REPORT = "Report"
FARM_JOB = "Write farm job"
FARM_JOB_WRITTEN = "The farm job was written to {folder}"
QUEUED = "queued"
STARTING = "starting"
RENDER_STATES = {"stopped": "stopped", "done": "done", "needs_a_look": "needs review", "error": "error"}
PROGRESS = "{done} of {total} frames"
RATE = "{rate:.2f} frames/s"
TIME_LEFT = "{minutes} min {seconds:02d} s left"
MEMORY = "{gigabytes:.1f} GB"
FINISHED = "{name}: {state}"
NOTHING_RENDERED = "Not rendered yet. The in and out marks limit the frames."

HELP_WITH_MESSAGE = "Help with this"
HELP = "Help"
FULL_PAGE = "More in the documentation (in a new tab)"
HELP_TOPICS = {
    "start": "First steps",
    "plate": "Filming a plate",
    "masks": "Masks and painting",
    "colour": "Colour",
    "outputs": "Outputs and renders",
    "keys": "Keys",
}
