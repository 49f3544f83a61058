"""Every text of the page, in English: another language is another module with these names.

Names and explanations of the settings come from `howard.options` and are not repeated here.
"""

TITLE = "Howard"
STARTED = "Howard runs at {address} (Ctrl-C ends it; renders in progress go on)"
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
NO_PAIRS = "Add a shot and its plate to begin: a video, an image sequence or a still of each. Nothing is copied."
REMOVE_PAIR = "Take {name} out of the project (files stay)"
SHOT = "Shot"
PLATE = "Plate"
SHOT_PATH = "The shot: a video, a folder of frames, a pattern such as shot.%04d.exr, or a still"
PLATE_PATH = "The plate: the same place, empty; or the word self"
BROWSE = "Browse"
CHOOSE_SHOT = "Choose the shot"
CHOOSE_PLATE = "Choose the plate"
CHOOSE_FILE = "Choose a file or folder"
USE_FOLDER = "Use this folder"
PARENT_FOLDER = "Folder above"
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
    "needs_a_look": "needs a look",
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
VIEW_BUTTON = "{label}: key {digit} for the left viewer, Shift+{digit} for the right one"
LEFT_VIEWER = "Left viewer"
RIGHT_VIEWER = "Right viewer"
LAYOUTS = {"side": "Two viewers", "wipe": "A/B wipe", "single": "One viewer"}
FIT = "Fit the frame (F)"
ACTUAL_SIZE_LABEL = "1:1"
ACTUAL_SIZE = "One pixel on one pixel of the screen (Z)"
COMPUTING = "computing ..."
LOADING = "loading ..."
READY = "ready"
PIXEL = "{x}, {y}   A: {a}   B: {b}"
NO_SHOT = "no shot"

TIMELINE = "Timeline: left and right arrow step, Shift steps ten frames, I and O set the marks"
FRAME = "Frame"
PLAY = "Play at a reduced rate (space)"
MARK_IN = "In mark here (I)"
MARK_OUT = "Out mark here (O)"
CLEAR_MARKS = "Remove the marks"
LANES = {"status": "status", "strokes": "strokes", "finished": "finished"}
STATUSES = {"good": "good", "weak": "weak", "failed": "failed", "damaged": "damaged", "edited": "edited"}

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
RESET = "Double click resets"
FOLDER_LABEL = "folder"
OUTPUT_FOLDER = "Folder of the render; {shot}, {plate}, {quality} and {format} stand for names"
COPY_COMMAND = "Copy as command"
COMMAND_COPIED = "The command that does the same was copied:"

KEEP = "Keep (B)"
REMOVE = "Remove (R)"
STOP_PAINTING = "Move (V)"
ERASE = "Erase (E)"
LINE = "Straight line (L)"
ALL_FRAMES = "On all frames"
BRUSH_SIZE = "Brush size in pixels of the shot (wheel, [ and ])"
UNDO = "Undo (Ctrl+Z)"
REDO = "Redo (Ctrl+Shift+Z)"
CLEAR_FRAME = "Remove the strokes of this frame"
EXPORT_MASKS = "Export masks"
IMPORT_MASKS = {"garbage": "Import remove mask", "holdout": "Import keep mask"}
MASKS_EXPORTED = "The masks were written to {folder}"
PAINT_HELP = (
    "Keep: surely the person. Remove: surely not. Between painted frames remove strokes follow the place and keep "
    "strokes follow the person."
)

RENDER = "Render"
RENDER_ALL = "Render all"
RESUME = "Resume"
START_OVER = "Start over"
START_OVER_HELP = "Render every frame anew? Finished frames in the folder are replaced."
CANCEL_RENDER = "Cancel"
REPORT = "Report"
FARM_JOB = "Write farm job"
FARM_JOB_WRITTEN = "The farm job was written to {folder}"
QUEUED = "waiting"
STARTING = "starting"
RENDER_STATES = {"stopped": "stopped", "done": "done", "needs_a_look": "needs a look", "error": "error"}
PROGRESS = "{done} of {total} frames"
RATE = "{rate:.2f} frames/s"
TIME_LEFT = "{minutes} min {seconds:02d} s left"
MEMORY = "{gigabytes:.1f} GB"
FINISHED = "{name}: {state}"
NOTHING_RENDERED = "Not rendered yet. Marks limit what is rendered."

WHAT_NOW = "What now?"
HELP = "Help"
HELP_TOPICS = {
    "start": "First steps",
    "plate": "Filming a plate",
    "masks": "Masks and painting",
    "colour": "Colour",
    "outputs": "Outputs and renders",
    "keys": "Keys",
}
