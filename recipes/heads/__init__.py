"""How `assets/heads` was made, from ICT-FaceKit's scans and MakeHuman's assets."""
