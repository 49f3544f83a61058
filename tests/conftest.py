"""One thread a process: tests run several processes side by side, and forked workers survive OpenCV only so."""

import cv2
import torch

cv2.setNumThreads(1)
torch.set_num_threads(1)
