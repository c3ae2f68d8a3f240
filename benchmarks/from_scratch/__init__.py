"""The from-scratch methods of mlcourse beside scikit-learn, PyTorch and other from-scratch libraries, on the same work."""
