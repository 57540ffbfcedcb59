"""A use of numpy whose extension module does the work."""
import numpy as np
print(np.__version__)
a=np.arange(12).reshape(3,4)
print(a, a.sum(), a.T@a, a.mean(axis=0))
print(np.linalg.inv(np.array([[1.,2],[3,4]])))
print(np.random.default_rng(1).random(3))
print(np.fft.fft([1,2,3,4]), np.sin(np.linspace(0,1,3)))
print(np.array(["a","bc"]), np.array([1,2,3])[np.array([True,False,True])], np.array([object(),1])[1])
print(np.sort(np.array([3,1,2])), np.dtype([("a","i4"),("b","f8")]))
